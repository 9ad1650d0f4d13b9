// The ceilings: Discord's own, and those that keep the stand-in's memory bounded.

/** Limits that Discord enforces. */
export const LIMIT = {
  content: 2000,
  embeds: 10,
  embedTitle: 256,
  embedDescription: 4096,
  embedFields: 25,
  embedFieldName: 256,
  embedFieldValue: 1024,
  embedFooter: 2048,
  embedAuthor: 256,
  embedTotal: 6000,
  rows: 5,
  rowButtons: 5,
  buttonLabel: 80,
  customId: 100,
  selectOptions: 25,
  selectText: 100,
  selectPlaceholder: 150,
  url: 512,
  modalTitle: 45,
  modalLabel: 45,
  modalComponents: 5,
  inputValue: 4000,
  inputPlaceholder: 100,
  v2Components: 40,
  v2Text: 4000,
  sectionTexts: 3,
  galleryItems: 10,
  mediaDescription: 1024,
  files: 10,
  fileBytes: 10 * 1024 * 1024,
  choices: 25,
  choiceName: 100,
  choiceValue: 100,
  commandName: 32,
  commandDescription: 100,
  commandOptions: 25,
  commandTotal: 8000,
  chatCommands: 100,
  contextCommands: 15,
  stringOption: 6000,
  followUpMessages: 100,
} as const;

/** How much the stand-in remembers before it forgets the oldest. */
export const KEPT = {
  messagesPerChannel: 500,
  exchanges: 50_000,
  files: 500,
  fileBytesTotal: 256 * 1024 * 1024,
  violations: 1000,
  gatewayEvents: 1000,
  gatewaySessions: 16,
  members: 5000,
  dmChannels: 5000,
} as const;

/** Times of Discord's, in ms. */
export const TIME = {
  firstAnswerMs: 3000,
  tokenLifeMs: 15 * 60 * 1000,
  heartbeatMs: 41_250,
  retryAfterMs: 50,
} as const;
