// What a command file is made of, and what its functions receive.
import { ApplicationIntegrationType, InteractionContextType } from 'discord.js';
import type {
  CommandInteractionOptionResolver,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
  SlashCommandBuilder,
  SlashCommandOptionsOnlyBuilder,
  SlashCommandSubcommandsOnlyBuilder,
} from 'discord.js';
import type { App, AssetChoice, Person } from '../app/app.ts';
import type { IdempotencyKey, MemberId } from '../shared/ids.ts';
import type { CustomId } from './custom-id.ts';
import type { People } from './people.ts';
import type { Responder, Visibility } from './responder.ts';
import type { TradeWindows } from './trade-windows.ts';

/** What commands work with, beside the interaction itself. */
export interface Services {
  readonly app: App;
  readonly windows: TradeWindows;
  readonly people: People;
  /** Every command, for `/help`. */
  readonly catalogue: readonly { readonly name: string; readonly description: string }[];
}

/** One interaction of a member. */
export interface Call {
  /** Makes a redelivered interaction the same request. */
  readonly key: IdempotencyKey;
  readonly member: Person;
  readonly respond: Responder;
  /** Aborted when the bot stops. */
  readonly stopping: AbortSignal;
}

export interface CommandCall extends Call {
  readonly options: Pick<
    CommandInteractionOptionResolver,
    'getString' | 'getInteger' | 'getSubcommand'
  >;
  /** The person given in a required user option. */
  person(option: string): Person;
  /** The person given in a user option, undefined when it was left out. */
  findPerson(option: string): Person | undefined;
}

/** A click, a choice from a select, or a submitted modal. */
export interface ComponentCall extends Call {
  readonly id: CustomId;
  /** What was picked in a select; empty otherwise. */
  readonly values: readonly string[];
  /** A modal's text field; empty for anything else. */
  field(name: string): string;
}

interface AutocompleteCall {
  readonly memberId: MemberId;
  /** Undefined for a command without subcommands. */
  readonly subcommand: string | undefined;
  /** What is typed so far. */
  readonly text: string;
}

export type ComponentHandler = (call: ComponentCall, services: Services) => Promise<void>;

type CommandBuilder =
  SlashCommandBuilder | SlashCommandOptionsOnlyBuilder | SlashCommandSubcommandsOnlyBuilder;

/** A command file's default export. Its functions catch nothing: the dispatcher owns the errors. */
export interface CommandDefinition {
  readonly data: CommandBuilder;
  /** Who sees the answer; by subcommand where they differ. */
  readonly visibility: Visibility | Readonly<Record<string, Visibility>>;
  execute(call: CommandCall, services: Services): Promise<void>;
  /** At most 25 choices, quickly: Discord has no "thinking…" here. */
  autocomplete?(call: AutocompleteCall, services: Services): Promise<readonly AssetChoice[]>;
  /** Handlers of the components that this command's messages carry, by the kind in their custom id. */
  readonly components?: Readonly<Record<string, ComponentHandler>>;
}

export interface Command extends Omit<CommandDefinition, 'data'> {
  readonly name: string;
  readonly description: string;
  /** As Discord registers it. */
  readonly json: RESTPostAPIChatInputApplicationCommandsJSONBody;
}

/**
 * Makes a command of its definition. Every command is for the members of a guild: a trade, a gift and a roll have
 * witnesses, and a DM has neither members nor channels to edit later.
 */
export function defineCommand(definition: CommandDefinition): Command {
  const { data, ...rest } = definition;
  data
    .setContexts(InteractionContextType.Guild)
    .setIntegrationTypes(ApplicationIntegrationType.GuildInstall);
  return { ...rest, name: data.name, description: data.description, json: data.toJSON() };
}

/** Who sees the answer of this command, or of this subcommand of it. */
export function visibilityOf(command: Command, subcommand: string | undefined): Visibility {
  if (typeof command.visibility === 'string') return command.visibility;
  const visibility = subcommand === undefined ? undefined : command.visibility[subcommand];
  if (visibility === undefined) {
    throw new Error(`/${command.name} ${subcommand ?? ''} declares no visibility.`);
  }
  return visibility;
}
