import { Random } from '../support/random.ts'

/** Chooses what goes wrong and when. FAULTS_SEED gives it again; how fast the machine is, nobody gives again. */
export const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 32))

export function seededRandom(): Random {
  console.info(`FAULTS_SEED=${seed}`)
  return new Random(seed)
}
