// The time that this process has worked, whatever else the machine does: a full machine makes a clock run away from it.

/** In ms since the process started, the time of the system for it included. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
