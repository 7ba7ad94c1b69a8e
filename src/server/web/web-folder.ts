import { extname } from 'node:path'

/** This file lies in src/server/web/ when Node runs TypeScript, and in dist/src/ when it was built. */
const isBuilt = extname(import.meta.url) === '.js'

/** Where the page lies that was built. */
export const webFolder = new URL(isBuilt ? '../web/' : '../../../dist/web/', import.meta.url)

/** What builds the page in a clone; the npm package and the image have the page, and not this. */
export const webBuilder = new URL(
  isBuilt ? '../../scripts/build-web.js' : '../../../scripts/build-web.js',
  import.meta.url,
)

/** Why the page could not be built. */
export const webFailure = new URL('../web-failed.txt', webFolder)
