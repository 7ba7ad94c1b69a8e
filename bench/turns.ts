export interface TurnTaking<Of, Turn> {
  readonly rounds: number
  readonly take: (of: Of, round: number) => Promise<Turn>
  /** What the turns of one come to. */
  readonly medians: (turns: readonly Turn[]) => Turn
  /** The numbers of a turn, for whoever looks on. */
  readonly describe: (turn: Turn) => readonly string[]
}

/**
 * Gives each its turns, and answers what they came to by name. Another one begins each round (A B C, B C A, C A B): the
 * first one after the data was made has less of the machine.
 */
export async function inTurns<Of extends { readonly name: string }, Turn>(
  all: readonly Of[],
  { rounds, take, medians, describe }: TurnTaking<Of, Turn>,
): Promise<Map<string, Turn>> {
  const turns = new Map<string, Turn[]>(all.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % all.length
    for (const of of [...all.slice(first), ...all.slice(0, first)]) {
      const turn = await take(of, round)
      turns.get(of.name)?.push(turn)
      console.error(`  ${of.name}: ${describe(turn).join(' ')}`)
    }
  }
  return new Map([...turns].map(([name, taken]) => [name, medians(taken)]))
}
