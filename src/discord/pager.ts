// Paging through a list: `≪ ‹ 3/12 › ≫`, whose buttons carry all they need, so they work after a restart.
import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  LabelBuilder,
  ModalBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { AppError } from '../shared/errors.ts';
import type { MemberId } from '../shared/ids.ts';
import type { ComponentHandler, Services } from './command.ts';
import { encodeCustomId } from './custom-id.ts';
import { memberIdOf } from './people.ts';
import { TOO_LATE_FOR_A_FORM } from './rendering/error-words.ts';
import type { Row, View } from './view.ts';

/** Every list shows this many lines a page. */
export const PAGE_SIZE = 10;
const GO_FIELD = 'page';
const PAGE_MAX = 999_999;

/** Whose list is shown, and who asked for it: only they turn its pages. */
export interface PagedList {
  readonly kind: string;
  readonly subject: MemberId;
  readonly viewer: MemberId;
}

/** The row of buttons; empty when one page holds everything. */
export function pagerRows(list: PagedList, page: number, pages: number): readonly Row[] {
  if (pages <= 1) return [];
  const button = (action: string, label: string, isDisabled: boolean): ButtonBuilder =>
    new ButtonBuilder()
      .setCustomId(customIdOf(list, page, action))
      .setLabel(label)
      .setStyle(ButtonStyle.Secondary)
      .setDisabled(isDisabled);
  return [
    new ActionRowBuilder<ButtonBuilder>().addComponents(
      button('first', '≪', page === 1),
      button('previous', '‹', page === 1),
      button('go', `${String(page)}/${String(pages)}`, false),
      button('next', '›', page === pages),
      button('last', '≫', page === pages),
    ),
  ];
}

/** The handler of a list's buttons and of its "go to page" form. */
export function pagerHandler(
  showPage: (list: PagedList, page: number, services: Services) => Promise<View>,
): ComponentHandler {
  return async (call, services) => {
    const [subject = '', viewer = ''] = call.id.id.split('.');
    if (viewer !== call.member.memberId) throw new AppError('NOT_YOUR_VIEW');
    const list = { kind: call.id.kind, subject: memberIdOf(subject), viewer: memberIdOf(viewer) };
    if (call.id.action === 'go') {
      const isOpen = await call.respond.modal(goToForm(list, call.id.version).toJSON());
      if (!isOpen) await call.respond.whisper(TOO_LATE_FOR_A_FORM);
      return;
    }
    const page = targetPage(call.id.action, call.id.version, call.field(GO_FIELD));
    await call.respond.show(await showPage(list, page, services));
  };
}

function targetPage(action: string, page: number, typed: string): number {
  switch (action) {
    case 'first':
      return 1;
    case 'previous':
      return Math.max(1, page - 1);
    case 'next':
      return page + 1;
    case 'last':
      // The app answers a page beyond the end with the last one, which may have moved since the buttons were made.
      return PAGE_MAX;
    case 'go-form':
      return typedPage(typed);
    default:
      throw new AppError('VIEW_EXPIRED');
  }
}

function typedPage(typed: string): number {
  const text = typed.trim();
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new AppError('INPUT_INVALID', { reason: 'a page is a whole number from 1' });
  }
  return Number(text);
}

function goToForm(list: PagedList, page: number): ModalBuilder {
  const input = new TextInputBuilder()
    .setCustomId(GO_FIELD)
    .setStyle(TextInputStyle.Short)
    .setMaxLength(6)
    .setRequired(true)
    .setPlaceholder(String(page));
  return new ModalBuilder()
    .setCustomId(customIdOf(list, page, 'go-form'))
    .setTitle('Go to page')
    .addLabelComponents(new LabelBuilder().setLabel('Page').setTextInputComponent(input));
}

function customIdOf({ kind, subject, viewer }: PagedList, page: number, action: string): string {
  return encodeCustomId({ kind, id: `${subject}.${viewer}`, version: page, action });
}
