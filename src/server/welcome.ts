import type { Config } from '../config.ts'
import { graphqlPath } from './http/graphql-route.ts'
import type { Server } from './server.ts'

/** Says where everything is. */
export function printWelcome(config: Config, server: Server): void {
  console.log(
    [
      `Colloquy is ready.`,
      ...(config.web.isOn ? [`  Page       ${server.url}/`] : []),
      `  GraphQL    ${server.url}${graphqlPath}`,
      `  WebSocket  ${server.url.replace('http', 'ws')}${graphqlPath}`,
      ...(config.graphiql ? [`  GraphiQL   ${server.url}/graphiql`] : []),
      ...(server.metricsUrl === null ? [] : [`  Metrics    ${server.metricsUrl}`]),
      `  Data       ${server.data}`,
      `  Access     ${describeAccess(config)}`,
    ].join('\n'),
  )
}

function describeAccess({ identity, host }: Config): string {
  if (identity === undefined) {
    return `development: whoever reaches ${host} is the user named in x-user-id, or "local"; not for production`
  }
  const ways = []
  if (identity.jwksUrl !== undefined) ways.push(`bearer tokens signed by a key of ${identity.jwksUrl}`)
  if (identity.secret !== undefined) ways.push('bearer tokens signed with AUTH_SECRET')
  if (identity.serviceKeys.size > 0) ways.push(`service keys of ${[...identity.serviceKeys.keys()].join(', ')}`)
  return ways.join('; ')
}
