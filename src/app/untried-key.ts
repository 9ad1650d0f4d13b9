// Idempotency keys of what the bot does by itself: the same work is the same movement, unless an earlier try was voided.
import { createHash } from 'node:crypto';
import type { IdempotencyKey } from '../shared/ids.ts';
import type { SettlementKind } from './ports/settlement-store.ts';
import type { Settlements } from './settlements.ts';

/**
 * @param stem what the key begins with.
 * @param subject what tells this work from others; only its hash is in the key.
 */
export async function untriedKey(
  settlements: Pick<Settlements, 'findAnswer'>,
  { stem, kind, subject }: { stem: string; kind: SettlementKind; subject: readonly string[] },
): Promise<IdempotencyKey> {
  const digest = createHash('sha256').update(subject.join('\n')).digest('hex');
  for (let voided = 0; ; voided += 1) {
    const key = `${stem}:${digest}${voided === 0 ? '' : `:${voided}`}` as IdempotencyKey;
    const earlier = await settlements.findAnswer({ key, kind });
    if (earlier?.view.state !== 'voided') return key;
  }
}
