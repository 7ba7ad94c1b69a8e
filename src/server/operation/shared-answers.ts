import {
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  getOperationAST,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import type { FormattedResult } from './written-result.ts'

/**
 * The answers to events that several watchers are sent, executed once for all watchers of one user that select the same.
 * Feeds that share a read hand out the same event, and it is known by its identity; what was answered goes with it.
 */
export class SharedAnswers {
  readonly #answers = new WeakMap<object, Map<string, Promise<FormattedResult>>>()
  readonly #documents = new WeakMap<DocumentNode, { readonly number: number; readonly selecting: readonly string[] }>()
  #count = 0

  /** Answers an event, unless that is done or under way already. @param selection of `selectionOf` */
  answer(event: object, selection: string, execute: () => Promise<FormattedResult>): Promise<FormattedResult> {
    let answers = this.#answers.get(event)
    if (answers === undefined) {
      answers = new Map()
      this.#answers.set(event, answers)
    }
    const answer = answers.get(selection) ?? execute()
    answers.set(selection, answer)
    return answer
  }

  /** Equal for subscriptions whose answers to an event of this user are equal. */
  selectionOf(userId: string, { document, operationName, variableValues }: Omit<ExecutionArgs, 'schema'>): string {
    let known = this.#documents.get(document)
    if (known === undefined) {
      this.#count += 1
      known = { number: this.#count, selecting: selectingVariables(document) }
      this.#documents.set(document, known)
    }
    // Within an object what is absent is left out, and so is not the same as null: it has a default.
    const values = Object.fromEntries(known.selecting.map((name) => [name, variableValues?.[name]]))
    return JSON.stringify([userId, known.number, operationName ?? null, values])
  }
}

/** The variables that are used beyond the arguments of root fields, which say what is followed and from where. */
function selectingVariables(document: DocumentNode): string[] {
  const names = new Set<string>()
  const look = {
    VariableDefinition: () => false as const,
    Variable: ({ name }: { name: { value: string } }) => void names.add(name.value),
  }
  for (const definition of document.definitions) {
    const operation = getOperationAST({ ...document, definitions: [definition] })
    visit(operation ? withoutRootArguments(operation) : definition, look)
  }
  return [...names].sort()
}

function withoutRootArguments(operation: OperationDefinitionNode): OperationDefinitionNode {
  const selections = operation.selectionSet.selections.map((selection) =>
    selection.kind === 'Field' ? ({ ...selection, arguments: [] } satisfies FieldNode) : selection,
  )
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } }
}
