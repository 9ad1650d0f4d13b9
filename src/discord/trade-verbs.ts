// What each subcommand of /trade does. Those that change an offer answer their member first, then the public window.
import type { AssetChoice, TradeView } from '../app/app.ts';
import { resolveAssetId } from './asset-option.ts';
import type { CommandCall, Services } from './command.ts';
import { code } from './rendering/text.ts';
import { openTradeWindow, showTradeChange } from './trade-panel.ts';

type Verb = (call: CommandCall, services: Services) => Promise<void>;

/** By the subcommand's name. */
export const TRADE_VERBS: Readonly<Record<string, Verb>> = {
  async start(call, services) {
    const { key, member } = call;
    const view = await services.app.startTrade({ key, from: member, to: call.person('user') });
    await openTradeWindow(call, services, view);
  },
  async show(call, services) {
    await openTradeWindow(call, services, await services.app.showTrade(call.member.memberId));
  },
  async add(call, services) {
    const { app } = services;
    const { member } = call;
    const assetId = await typedAsset(call, (text) => app.findTradeable(member.memberId, text));
    const view = await app.addToTrade({ member, assetId });
    await confirm(call, services, view, `Added ${code(assetId)} to trade`);
  },
  async remove(call, services) {
    const { app } = services;
    const { member } = call;
    const assetId = await typedAsset(call, (text) => app.findInTrade(member.memberId, text));
    const view = await app.removeFromTrade({ member, assetId });
    await confirm(call, services, view, `Took ${code(assetId)} out of trade`);
  },
  async coins(call, services) {
    const { member, options } = call;
    const amount = options.getString('amount', true);
    const view = await services.app.setTradeCoins({ member, amount });
    await confirm(call, services, view, 'Set your coins in trade');
  },
  async cancel(call, services) {
    const view = await services.app.cancelTrade({ member: call.member });
    await confirm(call, services, view, 'Cancelled trade');
  },
};

async function typedAsset(
  call: CommandCall,
  find: (text: string) => Promise<readonly AssetChoice[]>,
): Promise<string> {
  return resolveAssetId(call.options.getString('asset', true), find);
}

async function confirm(
  call: CommandCall,
  services: Services,
  view: TradeView,
  words: string,
): Promise<void> {
  await call.respond.show({ content: `${words} ${code(view.trade.tradeId)}.` });
  await showTradeChange(call, services, view);
}
