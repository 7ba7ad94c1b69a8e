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
  const fit = name.replace(/[^a-zA-Z0-9_-]/gu, '_')
  if (fit === name && name !== '' && name.length <= most) return name
  const end = `_${hash(name)}`
  return (fit || 'tool').slice(0, most - end.length) + end
}

/** FNV-1a of 64 bits over the UTF-16 units, in 16 hex digits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): string {
  let value = 0xcbf29ce484222325n
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    for (const byte of [unit & 255, unit >> 8]) value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n)
  }
  return value.toString(16).padStart(16, '0')
}
