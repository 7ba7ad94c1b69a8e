import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4, type Socket, SocketAddress } from 'node:net'

/** A request, or what its connection and its headers say of it. */
export type From = Pick<IncomingMessage, 'socket' | 'headers'>

/**
 * What a request says about its caller by way of the proxies in TRUST_PROXY. Anybody can send `X-Forwarded-For`,
 * `X-Forwarded-Host`, `X-Forwarded-Proto` and `Forwarded` (RFC 7239); they are read only of a connection that comes from
 * one of these proxies. Logs and limits take the caller's address from here.
 */
export class Proxies {
  /** null: none is trusted. */
  readonly #trusted: BlockList | null

  /** @param trusted addresses, and networks as 10.0.0.0/8 */
  constructor(trusted: readonly string[]) {
    this.#trusted = trusted.length === 0 ? null : new BlockList()
    for (const item of trusted) {
      const [address, prefix] = item.split('/') as [string, string?]
      const family = familyOf(address)
      if (prefix === undefined) this.#trusted?.addAddress(address, family)
      else this.#trusted?.addSubnet(address, Number(prefix), family)
    }
  }

  /**
   * The address of the caller: of the connection, or what the outermost trusted proxy says. If a proxy passes one kind
   * of header on as the caller sent it and writes the other, they disagree: then neither is believed.
   *
   * @returns null when the connection is gone
   */
  addressOf({ socket, headers }: From): string | null {
    const { remoteAddress = null } = socket
    // Each request is asked this, for the log.
    if (this.#trusted === null || remoteAddress === null) return remoteAddress && withoutMapping(remoteAddress)
    const direct = readAddress(remoteAddress)
    if (direct === null || !this.#trusts(direct)) return direct
    const { forwarded, 'x-forwarded-for': listed } = headers
    const byList = listed === undefined ? null : this.#outermost(direct, String(listed).split(','))
    const byElements =
      forwarded === undefined
        ? null
        : this.#outermost(
            direct,
            elementsOf(forwarded).map(({ for: by }) => by),
          )
    if (byList !== null && byElements !== null && byList !== byElements) return direct
    return byList ?? byElements ?? direct
  }

  /** Whether the other end of a connection is one of the proxies. */
  isProxy({ remoteAddress }: Socket): boolean {
    const address = readAddress(remoteAddress ?? '')
    return address !== null && this.#trusts(address)
  }

  /** Whether a page of this origin came from this server, as the browser knows the server. */
  isOwnOrigin(origin: string, { socket, headers }: From): boolean {
    const isTold = this.isProxy(socket)
    const element = isTold && headers.forwarded !== undefined ? elementsOf(headers.forwarded).at(-1) : undefined
    const told = (name: 'host' | 'proto') => {
      const listed = isTold ? headers[`x-forwarded-${name}`] : undefined
      return listed === undefined ? element?.[name] : String(listed).split(',').at(-1)?.trim()
    }
    const host = told('host') ?? headers.host
    const proto = told('proto')
    return (proto === undefined ? ['http', 'https'] : [proto]).some((scheme) => {
      const url = `${scheme}://${host}`
      return URL.canParse(url) && new URL(url).origin === origin
    })
  }

  #trusts(address: string): boolean {
    return this.#trusted?.check(address, familyOf(address)) ?? false
  }

  /** @param hops who sent the request to whom, the nearest last; each is what the next one says */
  #outermost(direct: string, hops: readonly (string | undefined)[]): string {
    let address = direct
    for (const hop of hops.toReversed()) {
      if (!this.#trusts(address)) break
      // A proxy may name its caller by a word of its own. Nobody knows what is before it then.
      const named = readAddress(hop ?? '')
      if (named === null) break
      address = named
    }
    return address
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

/** An address in its one form, without a port; null if the text is none. */
function readAddress(text: string): string | null {
  const trimmed = text.trim()
  const bare = /^\[([^\]]*)\](:\d+)?$/.exec(trimmed)?.[1] ?? trimmed.replace(/^([\d.]+):\d+$/, '$1')
  const plain = withoutMapping(bare)
  if (isIP(plain) !== 6) return isIP(plain) === 4 ? plain : null
  // An address that is bound to an interface has only this form.
  return plain.includes('%') ? plain : new SocketAddress({ address: plain, family: 'ipv6' }).address
}

/** A server that listens on IPv6 sees an IPv4 address in this form. */
export function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address
}

/** The elements of `Forwarded`. */
function elementsOf(forwarded: string): { for?: string; host?: string; proto?: string }[] {
  return forwarded.split(',').map((element) => {
    const pairs = element.split(';').map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/s, '$1')]
    })
    return Object.fromEntries(pairs)
  })
}
