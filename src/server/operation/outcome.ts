import type { GraphQLFormattedError, OperationTypeNode } from 'graphql'

/** What a request asks for and what becomes of it, for the log, for metrics and for traces. */
export class Outcome {
  /** The name that the client gave the operation, for the log alone. */
  name: string | null = null
  /** What is asked for, in words of the schema; `none`: the request was refused before that was known. */
  field = 'none'
  type: OperationTypeNode | null = null
  /** `OK`, or the code of the first error. */
  code = 'OK'
}

/** `OK`, or the code of the first error. */
export function codeOf(errors: readonly GraphQLFormattedError[] | undefined): string {
  return errors === undefined ? 'OK' : String(errors[0]?.extensions?.code ?? 'OTHER')
}
