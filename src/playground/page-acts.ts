// What the page may ask for in a member's name, checked, carried out, and answered in JSON.
import * as z from 'zod';
import { ClientRefusal } from './api.ts';
import type {
  CommandInput,
  Exchange,
  FirstResponse,
  MemberDriver,
  MemberFile,
  ModalFields,
  ModalHandle,
  OptionValue,
  StandIn,
} from './api.ts';

/** How many modals may be open on the page at once before the oldest is forgotten. */
const OPEN_MODALS = 200;

const file = z.object({ filename: z.string(), contentType: z.string(), base64: z.base64() });
const optionValue = z.union([z.string(), z.number(), z.boolean(), file]);
const commandFields = {
  name: z.string(),
  subcommand: z.string().optional(),
  group: z.string().optional(),
  options: z.record(z.string(), optionValue).default({}),
};
const actForm = z.object({
  memberId: z.string(),
  channelId: z.string(),
  act: z.discriminatedUnion('type', [
    z.object({ type: z.literal('command'), ...commandFields }),
    z.object({ type: z.literal('autocomplete'), ...commandFields, focused: z.string() }),
    z.object({ type: z.literal('click'), messageId: z.string(), customId: z.string() }),
    z.object({
      type: z.literal('select'),
      messageId: z.string(),
      customId: z.string(),
      values: z.array(z.string()),
    }),
    z.object({
      type: z.literal('modal'),
      modalId: z.string(),
      fields: z.record(
        z.string(),
        z.union([z.string(), z.boolean(), z.array(z.string()), z.array(file)]),
      ),
    }),
  ]),
});
type Act = z.output<typeof actForm>['act'];

/** What the page is told about the bot's first answer. */
export type ActAnswer =
  | { kind: 'message' | 'update' | 'deferred' | 'deferred-update' | 'did-not-respond' }
  | { kind: 'choices'; choices: readonly { name: string; value: string | number }[] }
  | { kind: 'modal'; modal: PageModal };

/** A modal as the page shows it; `id` stands for it when it is sent off. */
export interface PageModal {
  id: string;
  title: string;
  components: ModalHandle['components'];
}

/** Carries the page's acts out. */
export class PageActs {
  readonly #standIn: StandIn;
  readonly #modals = new Map<string, ModalHandle>();

  constructor(standIn: StandIn) {
    this.#standIn = standIn;
  }

  /** Does one act and waits for the bot's first answer; throws `ClientRefusal` when it may not be done. */
  async perform(body: unknown): Promise<ActAnswer> {
    const form = actForm.safeParse(body);
    if (!form.success) throw new ClientRefusal(z.prettifyError(form.error));
    const { memberId, channelId, act } = form.data;
    const exchange = this.#start(this.#standIn.as(memberId, channelId), act);
    return this.#answer(exchange, await exchange.firstResponse());
  }

  #start(member: MemberDriver, act: Act): Exchange {
    switch (act.type) {
      case 'command':
        return member.command(act.name, commandInput(act));
      case 'autocomplete':
        return member.autocomplete(act.name, { ...commandInput(act), focused: act.focused });
      case 'click':
        return member.click({ id: act.messageId }, act.customId);
      case 'select':
        return member.select({ id: act.messageId }, act.customId, act.values);
      case 'modal': {
        const modal = this.#modals.get(act.modalId);
        if (modal === undefined) throw new ClientRefusal('This modal is not open any more');
        return member.submitModal(modal, modalFields(act.fields));
      }
    }
  }

  #answer(exchange: Exchange, first: FirstResponse): ActAnswer {
    if (first.kind === 'choices') {
      const choices = first.choices.map(({ name, value }) => ({ name, value }));
      return { kind: 'choices', choices };
    }
    if (first.kind !== 'modal') return { kind: first.kind };
    this.#modals.set(exchange.id, first.modal);
    if (this.#modals.size > OPEN_MODALS) {
      const oldest = this.#modals.keys().next().value;
      if (oldest !== undefined) this.#modals.delete(oldest);
    }
    const { title, components } = first.modal;
    return { kind: 'modal', modal: { id: exchange.id, title, components } };
  }
}

interface CommandAct {
  subcommand?: string | undefined;
  group?: string | undefined;
  options: Record<string, z.output<typeof optionValue>>;
}

function commandInput({ subcommand, group, options }: CommandAct): CommandInput {
  const filled: Record<string, OptionValue> = {};
  for (const [name, value] of Object.entries(options)) {
    filled[name] = typeof value === 'object' ? memberFile(value) : value;
  }
  return {
    options: filled,
    ...(subcommand === undefined ? {} : { subcommand }),
    ...(group === undefined ? {} : { group }),
  };
}

function modalFields(fields: Extract<Act, { type: 'modal' }>['fields']): ModalFields {
  const filled: Record<string, ModalFields[string]> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!Array.isArray(value)) filled[name] = value;
    else {
      const files = value.filter((one) => typeof one === 'object').map(memberFile);
      filled[name] = files.length > 0 ? files : value.filter((one) => typeof one === 'string');
    }
  }
  return filled;
}

function memberFile({ filename, contentType, base64 }: z.output<typeof file>): MemberFile {
  return { filename, contentType, bytes: Buffer.from(base64, 'base64') };
}
