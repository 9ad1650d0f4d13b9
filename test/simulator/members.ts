// Members and a caller of the API: they act at random, send again what was not answered, and remember what they were told.
import type { App, Person, SettlementView, TradeView } from '../../src/app/app.ts';
import { AppError, hasCode } from '../../src/shared/errors.ts';
import type { IdempotencyKey, MemberId, TradeId } from '../../src/shared/ids.ts';
import type { Life } from './house.ts';
import { offerOf, type Request } from './oracle.ts';
import type { Slash } from './simulated-discord.ts';
import type { World } from './world.ts';

export const PEOPLE: readonly Person[] = [0, 1, 2].map((n) => ({
  memberId: String(100 + n) as MemberId,
  name: `member ${n}`,
  pictureUrl: undefined,
  isBot: false,
}));
/** Of those acts for which there is a slash command here. */
const SLASH_PERCENT = 45;
const HELD = ['lamp-0', 'lamp-1', 'lamp-2', 'pen-0', 'pen-1', 'pen-2'];

/** Something that was asked under a key, to be sent again as it was. */
interface Sent {
  readonly key: string;
  readonly send: () => void;
}

/** What one version of a trade showed a member. */
interface Seen {
  readonly tradeId: TradeId;
  readonly version: number;
}

export class Members {
  readonly #world: World;
  readonly #sent: Sent[] = [];
  readonly #answers = new Map<string, string>();
  readonly #seen = new Map<MemberId, Seen[]>();
  /** The passphrases of the API caller's assets, by asset id. */
  readonly owned = new Map<string, string>();
  /** What the caller was given, by transaction; worth something once that is committed. */
  readonly #pending = new Map<string, { readonly assetId: string; readonly passphrase: string }>();
  /** Where the assets stood that must move now. */
  readonly #before = new Map<string, string | undefined>();
  #keys = 0;
  /** Ids of the interactions that go through Discord. */
  readonly #slashes = new Set<string>();
  /** Whose acts are counted: what a dead life has begun never comes back. */
  #life: Life | undefined;
  #running = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** How many acts of the present life have not come back. */
  get running(): number {
    return this.#life === this.#world.life ? this.#running : 0;
  }

  /** One member does one thing. */
  act(): void {
    const { chance } = this.#world;
    const [me, other] = this.#two();
    const act = chance.pick([
      () => this.#again(),
      () => this.#again(),
      () => this.#daily(me),
      () => this.#roll(me),
      () => this.#roll(me),
      () => this.#mint(me),
      () => this.#pay(me, other),
      () => this.gift(me, other, chance.pick(HELD) ?? ''),
      () => this.#giftOwn(me, other),
      () => this.#create(),
      () => this.#look(me),
      () => this.#deal(me, other),
      () => this.#deal(me, other),
      () => this.#trade(me, other),
      () => this.#trade(me, other),
      () => this.#trade(me, other),
      () => this.#trade(me, other),
    ]);
    act?.();
  }

  #two(): readonly [Person, Person] {
    const { chance } = this.#world;
    const me = chance.below(PEOPLE.length);
    // Now and then a member tries it with themself.
    const other = chance.percent(3)
      ? me
      : (me + chance.between(1, PEOPLE.length - 1)) % PEOPLE.length;
    return [PEOPLE[me] as Person, PEOPLE[other] as Person];
  }

  #newKey(): string {
    this.#keys += 1;
    return `interaction:${this.#keys}`;
  }

  /** Many of those who could use a slash command do; the others come straight to the app. */
  #newSlashKey(): string {
    if (!this.#world.chance.percent(SLASH_PERCENT)) return this.#newKey();
    const id = this.#world.discord.makeId();
    this.#slashes.add(id);
    return `interaction:${id}`;
  }

  /** The same through Discord: what comes back is what a message says. */
  #slash(id: string, member: Person, slash: Slash): void {
    const { discord, chance } = this.#world;
    const key = `interaction:${id}`;
    this.#sent.push({ key, send: () => discord.redeliver(id) });
    discord.use(id, member, slash);
    if (chance.percent(10)) this.#again();
  }

  /** Discord delivers again, a caller asks again: the same request under the same key. */
  #again(): void {
    const sent = this.#world.chance.pick(this.#sent.slice(-8));
    if (sent === undefined) return;
    this.#world.count('redelivered');
    sent.send();
  }

  #request(
    request: Request,
    send: (app: App) => Promise<{ readonly view?: SettlementView; readonly told: string }>,
    typed?: { readonly member: Person; readonly slash: Slash },
  ): void {
    this.#world.oracle.requests.set(request.key, request);
    const id = request.key.replace('interaction:', '');
    if (typed !== undefined && this.#slashes.has(id)) {
      this.#slash(id, typed.member, typed.slash);
      return;
    }
    const sent = {
      key: request.key,
      send: () => {
        this.attempt(`${request.kind} ${request.key}`, send, {
          answered: ({ view, told }) => this.#onAnswer(request, view, told),
          refused: () => this.#onRefusal(request),
        });
      },
    };
    this.#sent.push(sent);
    sent.send();
    // Two deliveries at once.
    if (this.#world.chance.percent(10)) this.#again();
  }

  /** Starts something; what comes back is heard only while the life goes on. */
  attempt<Answer>(
    name: string,
    work: (app: App) => Promise<Answer>,
    hear: {
      readonly answered?: (answer: Answer) => void;
      readonly refused?: (error: AppError) => void;
    } = {},
  ): void {
    const { life, trace } = this.#world;
    const { app } = life;
    if (app === undefined) return;
    trace.say(name);
    this.#world.count('acts');
    if (this.#life !== life) this.#running = 0;
    this.#life = life;
    this.#running += 1;
    const ended = (): boolean => {
      if (this.#life === life) this.#running -= 1;
      return this.#isHeard(life);
    };
    work(app).then(
      (answer) => {
        if (!ended()) return;
        trace.say(`${name}: done`);
        hear.answered?.(answer);
      },
      (error: unknown) => {
        if (!ended()) return;
        trace.say(`${name}: ${error instanceof AppError ? error.code : String(error)}`);
        if (error instanceof AppError) hear.refused?.(error);
        else this.#onFault(name, error);
      },
    );
  }

  #isHeard(life: Life): boolean {
    return life === this.#world.life && !life.isDying;
  }

  /** What fails without a word of the table must come from a fault that was put in. */
  #onFault(name: string, error: unknown): void {
    const isInjected = /database is locked|disk is full|rolled the transaction back/.test(
      String(error),
    );
    if (isInjected) return;
    const stack = error instanceof Error ? error.stack : undefined;
    this.#world.break(`${name} failed: ${String(error)}`, stack);
  }

  /** Whoever was told that it is done must find it so, now and for ever; a repeat is told the same. */
  #onAnswer(request: Request, view: SettlementView | undefined, told: string): void {
    const { oracle } = this.#world;
    const row = oracle.findByKey(request.key);
    if (row === undefined) {
      this.#world.break(`${request.key} was answered and is not there`);
      return;
    }
    if (view !== undefined && view.state !== 'prepared' && view.state !== row.state) {
      this.#world.break(`${request.key} was told to be ${view.state} and is ${row.state}`);
    }
    const before = this.#answers.get(request.key);
    if (before !== undefined && before !== told) {
      this.#world.break(`${request.key} was answered ${before}, then ${told}`);
    }
    this.#answers.set(request.key, told);
    if (view?.state !== 'prepared') return;
    this.attempt(
      `wait for ${request.key}`,
      (app) => app.waitForSettlement(view.settlementId, 15_000),
      {
        answered: (later) => {
          const now = oracle.findByKey(request.key);
          if (later.state !== 'prepared' && now?.state !== later.state) {
            this.#world.break(`${request.key} was told to be ${later.state} and is ${now?.state}`);
          }
        },
      },
    );
  }

  /** Whoever was refused must find nothing done. */
  #onRefusal(request: Request): void {
    const row = this.#world.oracle.findByKey(request.key);
    if (row !== undefined) this.#world.break(`${request.key} was refused and is ${row.state}`);
  }

  #daily(member: Person): void {
    const key = this.#newSlashKey();
    this.#request(
      { key, kind: 'daily', memberId: member.memberId },
      async (app) => {
        const answer = await app.daily({ key: key as IdempotencyKey, member });
        return { told: JSON.stringify(answer) };
      },
      { member, slash: { name: 'daily', options: [] } },
    );
  }

  #roll(member: Person): void {
    const key = this.#newSlashKey();
    const rolls = this.#world.chance.between(1, 3);
    this.#request(
      { key, kind: 'roll', memberId: member.memberId, rolls },
      async (app) => {
        const bannerId = 'all';
        const { settlement: view, ...answer } = await app.roll({
          ...{ key: key as IdempotencyKey, member, count: rolls, bannerId },
        });
        return { view, told: JSON.stringify(answer) };
      },
      { member, slash: { name: 'roll', options: [{ name: 'count', count: rolls }] } },
    );
  }

  #mint(member: Person): void {
    const key = this.#newSlashKey();
    const assetId = `pen-${this.#world.chance.below(3)}`;
    this.#request(
      { key, kind: 'mint', memberId: member.memberId, assetId },
      async (app) => {
        const { settlement: view } = await app.mint({
          key: key as IdempotencyKey,
          member,
          assetId,
        });
        return { view, told: view.settlementId };
      },
      { member, slash: { name: 'mint', options: [{ name: 'asset', text: assetId }] } },
    );
  }

  #pay(from: Person, to: Person): void {
    const key = this.#newSlashKey();
    const amountGc = this.#world.chance.percent(15)
      ? undefined
      : this.#world.chance.between(1, 400);
    const request = {
      key,
      kind: 'payment',
      memberId: from.memberId,
      to: to.memberId,
      amountGc,
    } as const;
    const amount = amountGc === undefined ? 'all' : String(amountGc);
    const options = [
      { name: 'user', person: to },
      { name: 'amount', text: amount },
    ];
    this.#request(
      request,
      async (app) => {
        const answer = await app.pay({ key: key as IdempotencyKey, from, to, amount });
        return { told: JSON.stringify(answer) };
      },
      { member: from, slash: { name: 'pay', options } },
    );
  }

  /** Gives an asset away, whether it is there to give or not. @param isSure when this one must succeed. */
  gift(from: Person, to: Person, assetId: string, isSure = false): void {
    const key = isSure ? this.#newKey() : this.#newSlashKey();
    const request = {
      key,
      kind: 'gift',
      memberId: from.memberId,
      to: to.memberId,
      assetId,
    } as const;
    const options = [
      { name: 'user', person: to },
      { name: 'asset', text: assetId },
    ];
    this.#request(
      request,
      async (app) => {
        const { settlement: view } = await app.gift({
          key: key as IdempotencyKey,
          from,
          to,
          assetId,
        });
        return { view, told: view.settlementId };
      },
      { member: from, slash: { name: 'gift', options } },
    );
  }

  #giftOwn(from: Person, to: Person): void {
    this.attempt('find what can be given', (app) => app.findTradeable(from.memberId, ''), {
      answered: (choices) => {
        const choice = this.#world.chance.pick(choices);
        if (choice !== undefined) this.gift(from, to, choice.assetId);
      },
    });
  }

  /** A caller of the API moves an asset with the passphrase that they were given. */
  #create(): void {
    this.move(`api-${this.#world.chance.below(2)}`);
  }

  /** @param isSure when this one must succeed. */
  move(assetId: string, isSure = false): void {
    const key = this.#newKey();
    const { chance } = this.#world;
    const isWrong = !isSure && chance.percent(5);
    const passphrase = isWrong ? 'wrong' : this.owned.get(assetId);
    if (isSure) this.#before.set(assetId, this.#world.oracle.tipOf(assetId)?.transaction_id);
    this.#request({ key, kind: 'create', memberId: 'caller', assetId }, async (app) => {
      const { record, successorPassphrase } = await app.createTransaction({
        ...{ assetId, ownerId: 'caller', passphrase, metadata: {}, transactionId: undefined },
        key: key as IdempotencyKey,
      });
      this.#pending.set(record.transactionId, { assetId, passphrase: successorPassphrase });
      return { told: `${record.transactionId} ${successorPassphrase}` };
    });
  }

  /** The caller looks at the chain: what of theirs stands there as the newest is what they own. */
  learn(): void {
    this.owned.clear();
    for (const [transactionId, { assetId, passphrase }] of this.#pending) {
      if (this.#world.oracle.tipOf(assetId)?.transaction_id !== transactionId) continue;
      this.owned.set(assetId, passphrase);
    }
  }

  /** What had to move has moved. */
  expectMoved(): void {
    for (const [assetId, before] of this.#before) {
      const isStuck = this.#world.oracle.tipOf(assetId)?.transaction_id === before;
      if (isStuck) this.#world.break(`the caller of the API cannot move ${assetId}`);
    }
  }

  #look({ memberId }: Person): void {
    const page = { memberId, page: 1, pageSize: 10 };
    this.attempt('look', async (app) => {
      await app.inventory(page);
      await app.statement(page);
      await app.balance(memberId);
      await app.findInTrade(memberId, '');
      await app.findMintable('');
      await app.findAssets('');
      await app.viewAsset(this.#world.chance.pick(HELD) ?? '');
    });
  }

  /** A step of a trade, from what the member sees, or from something that they saw a while ago. */
  #trade(me: Person, other: Person): void {
    const seen = this.#seen.get(me.memberId) ?? [];
    const { chance } = this.#world;
    const expected = chance.percent(25) ? chance.pick(seen) : seen.at(-1);
    if (expected === undefined || chance.percent(15)) {
      this.#startTrade(me, other);
      return;
    }
    const isSure = { member: me, ...(chance.percent(70) && { expected }) };
    const hear = { answered: (view: TradeView) => this.#onView(view) };
    const amount = chance.percent(20) ? 'none' : String(chance.between(1, 300));
    const assetId = chance.pick(HELD) ?? '';
    const step = chance.pick<() => void>([
      () => this.#offerOwn(me, isSure.expected),
      () => this.#offerOwn(me, isSure.expected),
      () => this.attempt('add', (app) => app.addToTrade({ ...isSure, assetId }), hear),
      () => this.attempt('remove', (app) => app.removeFromTrade({ ...isSure, assetId }), hear),
      () => this.attempt('coins', (app) => app.setTradeCoins({ ...isSure, amount }), hear),
      () => this.#agree(expected),
      () => this.#agree(expected),
      () => this.#agree(expected),
      () => this.#lock(me, expected),
      () => this.#confirm(me, expected),
      () => this.attempt('show', (app) => app.showTrade(me.memberId), hear),
    ]);
    step?.();
    if (chance.percent(3)) this.attempt('cancel', (app) => app.cancelTrade({ member: me }), hear);
  }

  /** A whole trade in one go; in some, one of them changes the offer after the other has looked. */
  #deal(me: Person, other: Person): void {
    const key = this.#newKey() as IdempotencyKey;
    const { chance } = this.#world;
    const amount = String(chance.between(1, 90));
    const isChangedLate = chance.percent(30);
    this.attempt(`deal ${key}`, async (app) => {
      await app.startTrade({ key, from: me, to: other }).catch(toleratesBusy);
      for (const member of [me, other]) {
        const [first] = await app.findTradeable(member.memberId, '');
        if (first !== undefined) await app.addToTrade({ member, assetId: first.assetId });
      }
      const seen = await app.setTradeCoins({ member: me, amount });
      this.#onView(seen);
      const { tradeId, version } = seen.trade;
      if (isChangedLate) await app.setTradeCoins({ member: other, amount: '1' });
      const expected = { tradeId, version };
      for (const member of [me, other]) await app.lockTrade({ member, expected });
      for (const member of [me, other]) this.#confirm(member, expected);
    });
  }

  #startTrade(from: Person, to: Person): void {
    const key = this.#newKey();
    const send = (): void => {
      this.attempt(
        `trade ${key}`,
        (app) => app.startTrade({ key: key as IdempotencyKey, from, to }),
        {
          answered: (view) => {
            const before = this.#answers.get(key) ?? view.trade.tradeId;
            if (before !== view.trade.tradeId) this.#world.break(`${key} started two trades`);
            this.#answers.set(key, view.trade.tradeId);
            this.#onView(view);
          },
        },
      );
    };
    this.#sent.push({ key, send });
    send();
  }

  #offerOwn(member: Person, expected: Seen | undefined): void {
    this.attempt('find what can be offered', (app) => app.findTradeable(member.memberId, ''), {
      answered: (choices) => {
        const assetId = this.#world.chance.pick(choices)?.assetId;
        if (assetId === undefined) return;
        const add = { member, assetId, ...(expected !== undefined && { expected }) };
        this.attempt('offer', (app) => app.addToTrade(add), {
          answered: (view) => this.#onView(view),
        });
      },
    });
  }

  /** Both lock, both confirm, one of them twice: as fast as they can. */
  #agree(expected: Seen): void {
    for (const member of PEOPLE) this.#lock(member, expected);
    for (const member of [...PEOPLE, ...PEOPLE.slice(0, 1)]) this.#confirm(member, expected);
  }

  #lock(member: Person, expected: Seen): void {
    this.attempt(
      `lock ${expected.tradeId}:${expected.version}`,
      (app) => app.lockTrade({ member, expected }),
      {
        answered: (view) => this.#onView(view),
      },
    );
  }

  #confirm(member: Person, expected: Seen): void {
    const { tradeId, version } = expected;
    this.#world.oracle.confirmed.add(`${tradeId}:${version} ${member.memberId}`);
    this.attempt(
      `confirm ${tradeId}:${version}`,
      (app) => app.confirmTrade({ member, other: undefined, expected }),
      {
        answered: (view) => this.#onView(view),
      },
    );
  }

  #onView({ trade }: TradeView): void {
    const { tradeId, version, sides } = trade;
    const { offers } = this.#world.oracle;
    const offer = offerOf(sides);
    const key = `${tradeId}:${version}`;
    const before = offers.get(key) ?? offer;
    if (before !== offer) this.#world.break(`${key} was shown as ${before}, then ${offer}`);
    offers.set(key, offer);
    for (const { memberId } of sides) {
      const seen = this.#seen.get(memberId) ?? [];
      const last = seen.at(-1);
      if (last?.tradeId === tradeId && last.version === version) continue;
      this.#seen.set(memberId, [...seen.slice(-3), { tradeId, version }]);
    }
  }
}

/** One of the two has a trade already: that one is gone on with. */
function toleratesBusy(error: unknown): void {
  if (!hasCode(error, 'TRADE_BUSY')) throw error;
}
