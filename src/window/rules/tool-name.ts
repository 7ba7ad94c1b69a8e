/**
 * How many characters a tool's name may have. Each name may have only letters and digits of ASCII, `_` and `-`.
 *
 * - OpenAI: `FunctionDefinition.name` and `FunctionTool.name` in the API reference, read 2026-11.
 * - Anthropic: the API refuses other names with "should match pattern '^[a-zA-Z0-9_-]{1,128}$'", read 2026-11.
 * - AI SDK: names are the keys of the caller's tools, so they stay. The provider's package may refuse them.
 */
const longest = {
  OPENAI_CHAT: 64,
  OPENAI_RESPONSES: 64,
  ANTHROPIC: 128,
  AI_SDK: null,
  AI_SDK_MODEL: null,
}

/**
 * The name under which a window of `format` has a tool. Describe the tool to the model under this name too. A name that
 * the provider accepts stays. Any other name gets `_` for each character that the provider refuses, is cut, and ends in
 * a hash of the whole name. The answer depends on nothing but the two arguments, so every request has the same name.
 */
export function toolName(name: string, format: keyof typeof longest): string {
  const most = longest[format]
  if (most === null) return name
  if (/^[a-zA-Z0-9_-]+$/.test(name) && name.length <= most) return name
  const end = `_${hash(name)}`
  const begin = name.slice(0, most).replace(/[^a-zA-Z0-9_-]/gu, '_')
  return (begin || 'tool').slice(0, most - end.length) + end
}

/**
 * FNV-1a of 64 bits over the UTF-16 units, in 16 hex digits: http://www.isthe.com/chongo/tech/comp/fnv/. In two halves of
 * 32 bits, because a name may be long, and BigInt takes three times as long. The prime is 2^40 + 0x1b3.
 */
function hash(text: string): string {
  let [high, low] = [0xcbf29ce4, 0x84222325]
  const take = (byte: number) => {
    const mixed = (low ^ byte) >>> 0
    const product = mixed * 0x1b3
    high = (Math.imul(high, 0x1b3) + (mixed << 8) + Math.floor(product / 2 ** 32)) >>> 0
    low = product >>> 0
  }
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    take(unit & 255)
    take(unit >> 8)
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
}
