import { ArgsType, Field, ID, Int } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { badInput } from '../../errors.ts'
import { isGiven } from '../input/is-given.ts'

@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many to read from the beginning; 50 unless given, at most 100.',
  })
  first?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null

  @Field(() => Int, {
    nullable: true,
    description: 'How many to read from the end, at most 100. Do not give it together with `first`.',
  })
  last?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor.' })
  before?: string | null
}

@ArgsType()
export class MessagePageArgs extends PageArgs {
  @Field(() => ID, {
    nullable: true,
    description:
      'The `id` of a message: the page shows only the path that ends with it. Absent: all messages of all branches.',
  })
  branch?: string | null
}

/** How many to read, and from which end. @throws ApiError BAD_USER_INPUT */
export function readCount(args: PageArgs): { count: number; fromEnd: boolean } {
  const { first, last } = args
  if (isGiven(first) && isGiven(last)) throw badInput('last', 'must not be given together with first.')
  if (isGiven(last)) return { count: inRange('last', last), fromEnd: true }
  return { count: isGiven(first) ? inRange('first', first) : contractLimits.defaultPage, fromEnd: false }
}

function inRange(path: string, count: number): number {
  if (count < 0 || count > contractLimits.page) throw badInput(path, `must be from 0 to ${contractLimits.page}.`)
  return count
}
