/** One instruction of a Dockerfile, its continued lines put together. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** What one FROM begins. */
export interface Stage {
  readonly base: string
  /** null: the last one, which is the image. */
  readonly name: string | null
  readonly instructions: readonly Instruction[]
}

/** The stages of a Dockerfile that has no ARG and no here-documents. */
export function readStages(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
  const stages: { base: string; name: string | null; instructions: Instruction[] }[] = []
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, name = '', text = ''] = /^(\w+) +(.*)$/.exec(line.trim()) ?? []
    const [, base, stage = null] = name === 'FROM' ? (/^(\S+)(?: AS (\S+))?$/.exec(text) ?? []) : []
    if (base !== undefined) stages.push({ base, name: stage, instructions: [] })
    else stages.at(-1)?.instructions.push({ name, text })
  }
  return stages
}
