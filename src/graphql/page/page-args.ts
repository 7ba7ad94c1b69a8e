import { ArgsType, Field, ID, Int } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { badInput } from '../../errors.ts'
import { isGiven } from '../input/is-given.ts'

@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description:
      'How many to read from the beginning; 50 unless given, at most 100. Together with `last` it counts if `after` is given and `before` is not.',
  })
  first?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null

  @Field(() => Int, {
    nullable: true,
    description:
      'How many to read from the end, at most 100. Together with `first` it counts if `before` is given and `after` is not.',
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
  const { first, last } = isGiven(args.first) && isGiven(args.last) ? theOneThatCounts(args) : args
  if (isGiven(last)) return { count: inRange('last', last), fromEnd: true }
  return { count: isGiven(first) ? inRange('first', first) : contractLimits.defaultPage, fromEnd: false }
}

/** Relay gives both counts if the query has a default for one of them. Then the cursor says which way Relay pages. */
function theOneThatCounts({ first, last, after, before }: PageArgs): Pick<PageArgs, 'first' | 'last'> {
  if (after && !before) return { first }
  if (before && !after) return { last }
  throw badInput('last', 'may be given together with first only beside one cursor, which is after or before.')
}

function inRange(path: string, count: number): number {
  if (count < 0 || count > contractLimits.page) throw badInput(path, `must be from 0 to ${contractLimits.page}.`)
  return count
}
