// Reads metrics in the text format of Prometheus as strictly as the format is written down.
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_][a-zA-Z0-9_]*';
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = new RegExp(`(${NAME})="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"(?:,|$)`, 'y');

/** @throws Error at the first line that is not of the format, and for a histogram whose parts do not agree. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  let help: RegExpExecArray | null = null;
  let current: Family | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const type = TYPE.exec(line);
    if (line.startsWith('# HELP')) {
      help = HELP.exec(line);
    } else if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (help?.[1] !== name) throw new Error(`no help before ${line}`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      current = { name, help: help[2] ?? '', type: kind, samples: [] };
      families.set(name, current);
    } else {
      current?.samples.push(parseSample(line, current));
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function parseSample(line: string, { name: family, type }: Family): Sample {
  const [, name = '', labels = '', text = ''] = SAMPLE.exec(line) ?? [];
  const suffix = name.startsWith(family) ? name.slice(family.length) : undefined;
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (suffix === undefined || !suffixes.includes(suffix)) {
    throw new Error(`no sample of ${family}: ${line}`);
  }
  const value = text === '+Inf' ? Infinity : Number(text);
  // Of nothing there is no mean.
  const isNumber = text.toLowerCase() === 'nan' || !Number.isNaN(value);
  if (text === '' || !isNumber) throw new Error(`no number: ${line}`);
  return { name, labels: parseLabels(labels), value };
}

function parseLabels(text: string): Sample['labels'] {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length;) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? [];
    if (name === '' || Object.hasOwn(labels, name)) throw new Error(`no labels: ${text}`);
    labels[name] = value;
  }
  return labels;
}

function checkHistogram({ name, samples }: Family): void {
  const lines = new Map<string, { last: number; bound: number }>();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    const line = lines.get(key) ?? { last: 0, bound: -Infinity };
    lines.set(key, line);
    if (sample.endsWith('_bucket')) {
      const bound = le === '+Inf' ? Infinity : Number(le);
      if (!(bound > line.bound) || value < line.last) throw new Error(`${name}: buckets ${key}`);
      line.last = value;
      line.bound = bound;
    } else if (sample.endsWith('_count') && (line.bound !== Infinity || line.last !== value)) {
      throw new Error(`${name}: count of ${key}`);
    }
  }
}

/** The sum of all samples of this name with these labels; 0 when there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(?:count|sum|bucket)$/, ''));
  if (family === undefined) throw new Error(`there is no metric ${name}`);
  return family.samples
    .filter((sample) => sample.name === name)
    .filter(({ labels: own }) => Object.entries(labels).every(([key, value]) => own[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
