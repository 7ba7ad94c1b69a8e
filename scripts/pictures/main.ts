import { writeFile } from 'node:fs/promises'
import { makeAnimation } from './animation.ts'
import { openPlace, type Place } from './place.ts'
import { takeScreenshots } from './screenshots.ts'

/** `npm run pictures` makes docs/pictures/ anew, and `npm run pictures -- animation` or `-- screenshots` a part of it. */
const folder = new URL('../../docs/pictures/', import.meta.url)

type Pictures = Readonly<Record<string, Uint8Array>>

const makers: Record<string, (place: Place) => Promise<Pictures>> = {
  animation: async (place) => ({ 'killed-server.gif': await makeAnimation(place) }),
  screenshots: takeScreenshots,
}

const [only, ...more] = process.argv.slice(2)
const names = Object.keys(makers)
if (more.length > 0 || (only !== undefined && !names.includes(only))) {
  console.error(`It makes all pictures, or those that are named: ${names.join(' or ')}.`)
  process.exit(2)
}
for (const name of only === undefined ? names : [only]) {
  // The animation kills a server of its place.
  await using place = await openPlace()
  for (const [file, bytes] of Object.entries((await makers[name]?.(place)) ?? {})) {
    await writeFile(new URL(file, folder), bytes)
    console.log(`docs/pictures/${file}: ${Math.ceil(bytes.length / 1_000)} KB`)
  }
}
