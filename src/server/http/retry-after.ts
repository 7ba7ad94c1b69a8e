import type { FastifyReply } from 'fastify'
import type { GraphQLFormattedError } from 'graphql'

/** Says in a header as well when it is worth trying again, if the error says so (RFC 9110, 10.2.3). */
export function sayWhen(reply: FastifyReply, { extensions }: GraphQLFormattedError): void {
  const seconds = extensions?.retryAfter
  if (typeof seconds === 'number') reply.header('retry-after', seconds)
}
