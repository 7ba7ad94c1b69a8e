import { serverAudits } from 'graphql-http'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const audits = serverAudits({ url: () => `${bed.server.url}/graphql` })

test.each(audits.map(({ id, name }, place) => [id, name, place] as const))(
  'GraphQL over HTTP, audit %s: %s',
  async (_id, _name, place) => {
    const result = await audits[place]?.fn()
    expect(result).toMatchObject({ status: 'ok' })
  },
)
