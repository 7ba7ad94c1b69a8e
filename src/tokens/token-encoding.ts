/** How text is cut into tokens; each is that of a family of OpenAI's models. */
export const TokenEncoding = {
  O200K_BASE: 'O200K_BASE',
  CL100K_BASE: 'CL100K_BASE',
} as const
export type TokenEncoding = keyof typeof TokenEncoding
