// Reads from a message what the bot told a member: what moved, how far it has come, or why not.
import type { WireMessage } from '../../src/playground/wire.ts';
import { ERRORS, type ErrorCode } from '../../src/shared/errors.ts';
import { textOf } from '../support/discord-stand-in.ts';

/** Coins and NFGTs that change hands. */
export interface Effect {
  /** What each member gains or loses, in gc. */
  readonly coins: readonly { readonly memberId: string; readonly changeGc: number }[];
  readonly assets: readonly { readonly assetId: string; readonly to: string }[];
}

/**
 * What a message claims.
 * - `settled`, `voided`, `pending`: a movement of value, and how far it has come.
 * - `refused`: a row of the table of errors; nothing has changed.
 * - `broke`: a fault; it claims nothing.
 * - `shown`: only a view.
 */
export type Told =
  | { readonly state: 'settled' | 'voided' | 'pending'; readonly effect: Effect }
  | { readonly state: 'refused'; readonly code: ErrorCode | 'STOPPING' }
  | { readonly state: 'broke' | 'shown' };

export type Verb = 'roll' | 'pay' | 'daily' | 'gift' | 'mint';

const NOTHING: Effect = { coins: [], assets: [] };

const REFUSALS = Object.entries(ERRORS).map(([code, { message }]) => {
  const pattern = message
    .split(/\{\w+\}/)
    .map(escapePattern)
    .join('[^]*');
  return { code: code as ErrorCode, pattern: new RegExp(`^${pattern}`) };
});

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The claim of a message about a member's command. */
export function toldBy(verb: Verb | undefined, memberId: string, message: WireMessage): Told {
  const text = textOf(message);
  if (text.includes('Something broke on our side')) return { state: 'broke' };
  if (text.startsWith('The bot is restarting')) return { state: 'refused', code: 'STOPPING' };
  const refusal = REFUSALS.find(({ pattern }) => pattern.test(text));
  if (refusal !== undefined) return { state: 'refused', code: refusal.code };
  if (verb === undefined) return { state: 'shown' };
  const effect = EFFECTS[verb](text, memberId);
  return { state: stateIn(text), effect };
}

function stateIn(text: string): 'settled' | 'voided' | 'pending' {
  if (/ · pending$/m.test(text)) return 'pending';
  return / · rejected$/m.test(text) ? 'voided' : 'settled';
}

const EFFECTS: Readonly<Record<Verb, (text: string, memberId: string) => Effect>> = {
  roll: (text, memberId) => {
    const paid = gcAfter(text, 'Paid \\*\\*');
    const won = gcAfter(text, 'coins won \\*\\*');
    const assets = [...text.matchAll(/NFGT .*?`([^`]+)` · tx/g)].map(([, assetId = '']) => assetId);
    return {
      coins: [{ memberId, changeGc: won - paid }],
      assets: assets.map((assetId) => ({ assetId, to: memberId })),
    };
  },
  pay: (text, memberId) => {
    const amount = gcAfter(text, '\\*\\*');
    const to = /paid <@(\d+)>/.exec(text)?.[1] ?? '';
    return {
      coins: [
        { memberId, changeGc: -amount },
        { memberId: to, changeGc: amount },
      ],
      assets: [],
    };
  },
  daily: (text, memberId) => ({
    coins: [{ memberId, changeGc: gcAfter(text, 'You received \\*\\*') }],
    assets: [],
  }),
  gift: (text) => moved(text, /gives it to <@(\d+)>/),
  mint: (text) => moved(text, /<@(\d+)> mints it/),
};

function moved(text: string, receiver: RegExp): Effect {
  const assetId = /`([^`]+)`/.exec(text)?.[1];
  const to = receiver.exec(text)?.[1];
  if (assetId === undefined || to === undefined) return NOTHING;
  return { coins: [], assets: [{ assetId, to }] };
}

/** The first amount after these words, in gc. */
function gcAfter(text: string, words: string): number {
  const found = new RegExp(`${words}([\\d,]+) gc`).exec(text)?.[1];
  if (found === undefined) throw new Error(`There is no amount in: ${text}`);
  return Number(found.replaceAll(',', ''));
}
