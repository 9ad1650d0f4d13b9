// The shapes on the wire, as schemas: names are snake_case here and nowhere further in.
import * as z from 'zod';

/** A committed transaction: the JSON of its `metadata.json` as it stands on the chain. */
export const RecordSchema = z
  .looseObject({
    successor_hash: z.string().meta({ description: 'SHA-512 hex, or an argon2 PHC string' }),
    transaction_id: z.string(),
    transaction_time: z.int().meta({ description: 'Unix time in ms' }),
    asset_id: z.string(),
    owner_id: z.string(),
    metadata: z.unknown(),
  })
  .meta({ id: 'Record' });

export const NoParams = z.object({});
export const ById = z.object({ id: z.string().meta({ description: 'percent-encoded once' }) });
export const ByIdAndDepth = ById.extend({
  depth: z.string().meta({ description: 'a decimal integer; zero or less gives nothing' }),
});

/**
 * What `create` takes. The schema names and describes the fields; what they may hold is for the domain to judge, so
 * that there is one judge and its error codes reach the caller.
 */
export const CreateBody = z
  .object({
    owner_id: z.unknown().meta({ type: 'string', minLength: 1 }),
    asset_id: z.unknown().meta({ type: 'string', minLength: 1 }),
    passphrase: z.unknown().meta({ type: 'string', description: 'ignored for a new asset' }),
    metadata: z.unknown().meta({ type: ['object', 'null'], description: 'null when left out' }),
    transaction_id: z.unknown().meta({ type: 'string', format: 'uuid' }),
  })
  .partial({ passphrase: true, metadata: true, transaction_id: true })
  .meta({ id: 'CreateBody' });

export const CreateAnswer = z
  .object({
    transaction: z.looseObject({ successor_passphrase: z.string(), ...RecordSchema.shape }),
  })
  .meta({ id: 'CreateAnswer' });
export const TransactionAnswer = z
  .object({ transaction: RecordSchema.nullable() })
  .meta({ id: 'TransactionAnswer' });
export const TransactionsAnswer = z
  .object({ transactions: z.array(RecordSchema) })
  .meta({ id: 'TransactionsAnswer' });
export const AssetHistoryAnswer = z
  .object({ transactions: z.array(RecordSchema).nullable() })
  .meta({ id: 'AssetHistoryAnswer' });
export const AssetsAnswer = z
  .object({ assets: z.array(RecordSchema) })
  .meta({ id: 'AssetsAnswer' });
export const AllTransactionsAnswer = z
  .object({ transactions: z.array(z.string()) })
  .meta({ id: 'AllTransactionsAnswer' });
export const AllOwnersAnswer = z
  .object({
    owners: z.record(z.string(), z.array(z.string())).meta({ description: 'assets by owner' }),
  })
  .meta({ id: 'AllOwnersAnswer' });
export const AllAssetsAnswer = z
  .object({
    assets: z.record(z.string(), z.string()).meta({ description: 'owner by asset' }),
  })
  .meta({ id: 'AllAssetsAnswer' });
export const HealthAnswer = z.object({ message: z.literal('ok') }).meta({ id: 'HealthAnswer' });
export const StatusAnswer = z
  .object({
    committed: z.boolean(),
    rejected: z.boolean(),
    reason: z.string().optional().meta({ description: 'why it was rejected: an error code' }),
  })
  .meta({ id: 'StatusAnswer' });
export const NodeAnswer = z
  .object({
    role: z.enum(['validator', 'observer']),
    role_events: z
      .array(
        z.object({
          role: z.enum(['validator', 'observer']),
          reason: z.string(),
          time: z.int().meta({ description: 'Unix time in ms' }),
        }),
      )
      .meta({ description: 'when and why the node took its role, newest first' }),
    beacon: z.string(),
    epoch_branch: z.string(),
    bot_owner_id: z.string().nullable().meta({ description: 'null on a node without a bot' }),
    assets: z.int(),
    transactions: z.int(),
    pending: z.int(),
    last_sync_time: z.int().nullable().meta({ description: 'Unix time in ms' }),
    writing: z.enum(['open', 'stopped', 'off']).meta({
      description:
        '`off` on an observer; `stopped` while the chain is rewritten, on an observer too',
    }),
    rewritten: z
      .object({
        since: z.int().meta({ description: 'Unix time in ms' }),
        total: z.int().meta({ description: 'how many refs; `refs` names at most 100 of them' }),
        refs: z.array(
          z.object({
            kind: z.enum(['branch', 'tag']),
            name: z.string(),
            expected: z.string().nullable().meta({
              description:
                'the commit that it must stand on or go on from; null when only the journal knows of it',
            }),
            found: z.string().nullable().meta({ description: 'null when it is gone' }),
          }),
        ),
      })
      .nullable()
      .meta({ description: 'null while the beacon goes on from what this node knows' }),
    faults: z.array(z.object({ branch: z.string(), commit_id: z.string(), fault: z.string() })),
  })
  .meta({ id: 'NodeAnswer' });
export const DescriptionAnswer = z
  .looseObject({ openapi: z.string() })
  .meta({ id: 'DescriptionAnswer' });
/** What every expected refusal looks like. */
export const RefusalAnswer = z
  .object({
    error: z.string().meta({ description: 'for people: what stopped, what is true now' }),
    code: z.string().meta({ description: 'for programs: a code of docs/errors.md' }),
  })
  .meta({ id: 'RefusalAnswer' });
/** Anything that nobody expected. */
export const FaultAnswer = z
  .object({ error: z.string(), code: z.string(), ref: z.string().optional() })
  .meta({ id: 'FaultAnswer' });
