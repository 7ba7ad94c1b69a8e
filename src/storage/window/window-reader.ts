import type { TokenCounter } from '../../tokens/token-counter.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Store } from '../postgres/store.ts'

/** What a reader of windows needs, and for whom it reads. */
export interface WindowReader {
  readonly store: Store
  readonly tokens: TokenCounter
  readonly budget: AnswerBudget
  readonly userId: string
}
