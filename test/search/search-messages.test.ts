import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { search, searching } from '../support/search.ts'

const bed = useBed()

test('a new message is found by any of its words, without its accents and in another form', async () => {
  const ada = bed.server.as({ 'x-user-id': 'words' })
  await ada.append('c', 'We painted the café in Zürich yesterday')
  await ada.append('c', 'Nothing of interest')
  await searching(ada, 'c')
  for (const query of ['zurich', 'CAFE', 'painting elsewhere', 'Zürich']) {
    expect((await search(ada, query))[0]?.node.content).toContain('Zürich')
  }
  expect(await search(ada, 'unheard')).toEqual([])
})
