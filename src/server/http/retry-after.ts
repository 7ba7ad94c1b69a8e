import type { FastifyReply } from 'fastify'
import type { GraphQLFormattedError } from 'graphql'

/** Seconds after which it is worth trying again what the server could not do: most of it passes sooner. */
export const soon = 1

/**
 * Says in a header as well when it is worth trying again, if an error says so or the server cannot do it now (RFC 9110,
 * 10.2.3).
 */
export function sayWhen(reply: FastifyReply, errors: readonly GraphQLFormattedError[]): void {
  for (const { extensions } of errors) {
    const seconds = extensions?.code === 'UNAVAILABLE' ? soon : extensions?.retryAfter
    if (typeof seconds === 'number') return void reply.header('retry-after', seconds)
  }
}
