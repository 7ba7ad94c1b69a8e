import { type Command, InvalidArgumentError, Option } from 'commander'
import { SignJWT } from 'jose'
import { createAuthenticate } from '../../auth/authenticate.ts'
import { roleNames } from '../../auth/roles.ts'
import { readConfig } from '../../config.ts'
import { ApiError, StartupError } from '../../errors.ts'
import { createLog } from '../../server/log.ts'

export function define(command: Command): void {
  command.description('Bearer tokens of servers that have AUTH_SECRET.')
  command
    .command('create')
    .description(
      'Makes a JWT that servers with the same AUTH_SECRET accept, and prints it alone. Its claims are those that ' +
        'AUTH_USER_CLAIM, AUTH_ROLES_CLAIM, AUTH_ISSUER and AUTH_AUDIENCE ask for.',
    )
    .requiredOption('--user <id>', 'whose token it is')
    .addOption(
      new Option(
        '--expires <time>',
        'how long it is accepted, as 90s, 15m, 8h or 30d; never where AUTH_REQUIRE_EXPIRY=false',
      )
        .argParser(readDuration)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--role <role...>', 'what its user may do; it needs AUTH_ROLES_CLAIM').choices(
        Object.values(roleNames),
      ),
    )
    .action(create)
}

interface Given {
  readonly user: string
  /** Seconds. */
  readonly expires: number | 'never'
  readonly role?: readonly string[]
}

async function create({ user, expires, role = [] }: Given): Promise<void> {
  const { identity } = readConfig(process.env)
  if (identity?.secret === undefined) {
    throw new StartupError('AUTH_SECRET signs tokens, and is not set; set it to the one of the server')
  }
  const { secret, issuer, audience, userClaim, rolesClaim, requiresExpiry } = identity
  if (role.length > 0 && rolesClaim === undefined) {
    throw new StartupError('AUTH_ROLES_CLAIM is not set, so servers read no roles; set it here and there')
  }
  if (expires === 'never' && requiresExpiry) {
    throw new StartupError('Servers refuse a token that never expires; set AUTH_REQUIRE_EXPIRY=false here and there')
  }
  const jwt = new SignJWT({ [userClaim]: user, ...(role.length > 0 && { [rolesClaim ?? '']: role }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
  if (issuer !== undefined) jwt.setIssuer(issuer)
  if (audience !== undefined) jwt.setAudience(audience)
  if (expires !== 'never') jwt.setExpirationTime(Math.floor(Date.now() / 1_000) + expires)
  const token = await jwt.sign(new TextEncoder().encode(secret))
  // Whatever a server would say against it is said here.
  const credentials = { authorization: `Bearer ${token}`, serviceKey: undefined, userId: undefined }
  await createAuthenticate(
    identity,
    createLog('silent'),
  )(credentials).catch((error: unknown) => {
    throw error instanceof ApiError ? new StartupError(`Servers would refuse this token: ${error.message}`) : error
  })
  console.log(token)
}

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function readDuration(text: string): Given['expires'] {
  if (text === 'never') return 'never'
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('It must be a number and s, m, h or d, as 15m, or never.')
  return Number(count) * (seconds[unit] as number)
}
