import { randomUUID } from 'node:crypto'
import { OperationTypeNode } from 'graphql'
import type { Viewer } from '../../auth/viewer.ts'
import type { Context, Services } from '../../graphql/context.ts'
import { Loaders } from '../../graphql/loaders.ts'
import { AnswerBudget, type AnswerMemory } from '../../storage/postgres/answer-budget.ts'

/**
 * Makes the context of one operation, or of one event of a subscription. Whoever sends the answer disposes its budget,
 * also when nobody waits for the answer any more.
 *
 * @param type a query reads for one caller, and stops when the budget is disposed; undefined: it is an event
 */
export type CreateContext = (viewer: Viewer, requestId: string, type?: OperationTypeNode) => Context

export function contextFactory(services: Services, memory: AnswerMemory): CreateContext {
  return (viewer, requestId, type) => {
    const { answerBytes, cost } = services.limits
    const budget = new AnswerBudget(memory, answerBytes, cost, type === OperationTypeNode.QUERY)
    const loaders = new Loaders(services.store, budget, viewer.userId)
    return { requestId, viewer, services, loaders, budget, windows: 0 }
  }
}

/**
 * An id as one piece of text. `randomUUID` joins twenty pieces, half a KiB that a subscription would hold while it
 * waits.
 */
export function drawRequestId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1')
}
