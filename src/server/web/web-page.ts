import type { Config } from '../../config.ts'

/**
 * No script and no style of the document, nothing from elsewhere. Pictures are data of messages, objects that the page makes
 * before it sends one, and those of people, from the origins of `WEB_PICTURES`. The page asks this server and, if it is
 * somewhere else, what gives it tokens.
 */
export function webPolicy({ tokenUrl, openId, pictures }: Config['web']): string {
  const asked = openId?.issuer ?? tokenUrl
  const tokens = asked !== undefined && URL.canParse(asked) ? ` ${new URL(asked).origin}` : ''
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    ["img-src 'self' data: blob:", ...pictures].join(' '),
    `connect-src 'self'${tokens}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

/** As long as there is no page. @param failure why the build failed; null: it is not known that it did */
export function renderWaitingPage(failure: string | null): string {
  const [title, text] =
    failure === null
      ? ['The page is being built …', 'This takes a minute the first time. The server is ready already.']
      : ['The page could not be built.', `${failure.trim()} The server runs without it. Try: node scripts/build-web.js`]
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="refresh" content="2">
    <title>Colloquy</title>
  </head>
  <body>
    <h1>${escapeHtml(title as string)}</h1>
    <p>${escapeHtml(text as string)}</p>
  </body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
