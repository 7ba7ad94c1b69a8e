import { readFileSync } from 'node:fs'

/** What a type of an SDK allows, as its declarations say. */
export type Shape =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'text'; readonly head: string }
  | { readonly kind: 'number' | 'boolean' | 'unknown' | 'never' }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Field>; readonly others: Shape | null }
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  | { readonly kind: 'both'; readonly of: readonly Shape[] }
  | { readonly kind: 'name'; readonly path: readonly string[]; readonly scope: Scope }

export interface Field {
  readonly shape: Shape
  readonly isOptional: boolean
}

/** What the names of a declaration file, or of a namespace in it, stand for. */
interface Scope {
  /** Each is read when it is asked for. */
  readonly types: Map<string, () => Shape>
  readonly spaces: Map<string, Scope>
  readonly outer: Scope | null
}

const files = new Map<string, Scope>()

/** The declarations of a file of a package, such as `openai/resources/shared.d.ts`. */
export function declarationsOf(path: string): Scope {
  const url = new URL(`../../../node_modules/${path}`, import.meta.url)
  const known = files.get(url.href)
  if (known !== undefined) return known
  const scope: Scope = { types: new Map(), spaces: new Map(), outer: null }
  files.set(url.href, scope)
  new Reader(tokensOf(readFileSync(url, 'utf8')), path).readScope(scope)
  return scope
}

/** @throws Error if the file does not declare `path`, such as `ResponseInputItem.Message` */
export function typeNamed(file: string, path: string): Shape {
  return resolve({ kind: 'name', path: path.split('.'), scope: declarationsOf(file) })
}

/** The alternatives of a union, without unions among them. */
export function alternatives(shape: Shape): Shape[] {
  const whole = resolve(shape)
  return whole.kind === 'union' ? whole.of.flatMap(alternatives) : [whole]
}

/** Looks names up, and makes one object of what is joined with `&`. */
export function resolve(shape: Shape): Shape {
  if (shape.kind === 'name') return find(shape.path, shape.scope)
  if (shape.kind !== 'both') return shape
  return shape.of.map(resolve).reduce((one, other) => join(one, other))
}

function join(one: Shape, other: Shape): Shape {
  if (one.kind === 'union') return { kind: 'union', of: one.of.map((each) => join(resolve(each), other)) }
  if (other.kind === 'union') return { kind: 'union', of: other.of.map((each) => join(one, resolve(each))) }
  if (one.kind !== 'object' || other.kind !== 'object') return one.kind === 'object' ? other : one
  return {
    kind: 'object',
    fields: new Map([...one.fields, ...other.fields]),
    others: one.others ?? other.others,
  }
}

/** The `type` of an object, or what it must begin with; null if the object has no such field. */
export function typeOf(shape: Shape): string | null {
  const whole = resolve(shape)
  const field = whole.kind === 'object' ? whole.fields.get('type') : undefined
  const type = field === undefined ? undefined : resolve(field.shape)
  return type?.kind === 'literal' ? String(type.value) : type?.kind === 'text' && type.head !== '' ? type.head : null
}

function find(path: readonly string[], scope: Scope): Shape {
  const [first = '', ...rest] = path
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    if (rest.length === 0) {
      const type = at.types.get(first)
      if (type !== undefined) return resolve(type())
    }
    const space = at.spaces.get(first)
    if (space !== undefined && rest.length > 0) return find(rest, space)
  }
  throw new Error(`No type ${path.join('.')}`)
}

/** How a value differs from its type: nothing that the type does not know may be in it. Empty if it does not differ. */
export function faultsOf(shape: Shape, value: unknown, at = ''): string[] {
  const whole = resolve(shape)
  switch (whole.kind) {
    case 'unknown':
      return []
    case 'never':
      return [`${at} has no place here`]
    case 'literal':
      return value === whole.value ? [] : [`${at} is ${JSON.stringify(value)}, not ${JSON.stringify(whole.value)}`]
    case 'text':
      return typeof value === 'string' && value.startsWith(whole.head) ? [] : [`${at} is no text ${whole.head}`]
    case 'number':
    case 'boolean':
      return typeof value === whole.kind ? [] : [`${at} is no ${whole.kind}`]
    case 'list':
      if (!Array.isArray(value)) return [`${at} is no list`]
      return value.flatMap((item, index) => faultsOf(whole.of, item, `${at}[${index}]`))
    case 'object':
      return faultsOfObject(whole, value, at)
    case 'union':
      return whole.of
        .map((each) => faultsOf(each, value, at))
        .reduce((best, faults) => (isBetter(faults, best) ? faults : best))
    default:
      return [`${at}: ${whole.kind}`]
  }
}

/** A wrong `type` is the worst fault: it means another alternative. */
function isBetter(faults: readonly string[], than: readonly string[]): boolean {
  const worth = (list: readonly string[]) =>
    list.length + 100 * list.filter((fault) => /type is|is no (list|object|text)/.test(fault)).length
  return worth(faults) < worth(than)
}

function faultsOfObject(shape: Extract<Shape, { kind: 'object' }>, value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`]
  const record = value as Readonly<Record<string, unknown>>
  const missing = [...shape.fields].flatMap(([name, { isOptional }]) =>
    isOptional || record[name] !== undefined ? [] : [`${at}.${name} is missing`],
  )
  const wrong = Object.entries(record).flatMap(([name, inner]) => {
    const field = shape.fields.get(name)
    if (field !== undefined)
      return field.isOptional && inner === undefined ? [] : faultsOf(field.shape, inner, `${at}.${name}`)
    return shape.others === null ? [`${at}.${name} is unknown`] : faultsOf(shape.others, inner, `${at}.${name}`)
  })
  return [...missing, ...wrong]
}

function tokensOf(text: string): string[] {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/[^\n]*/g, '')
  return bare.match(/[A-Za-z_$][\w$]*|'[^'\n]*'|"[^"\n]*"|`[^`]*`|-?\d[\d.]*|\.\.\.|=>|[^\s]/g) ?? []
}

const plain: Readonly<Record<string, Shape>> = {
  string: { kind: 'text', head: '' },
  number: { kind: 'number' },
  boolean: { kind: 'boolean' },
  null: { kind: 'literal', value: null },
  undefined: { kind: 'literal', value: undefined },
  true: { kind: 'literal', value: true },
  false: { kind: 'literal', value: false },
  never: { kind: 'never' },
  // JSON has neither bytes nor a `URL`: a message stores both as texts.
  URL: { kind: 'text', head: '' },
  Uint8Array: { kind: 'text', head: '' },
  ArrayBuffer: { kind: 'text', head: '' },
  Buffer: { kind: 'text', head: '' },
}

/** Reads as much of TypeScript's declarations as the SDKs need. What it does not know becomes `unknown`. */
class Reader {
  readonly #tokens: readonly string[]
  readonly #path: string
  #at: number
  /** Names of type parameters: they may be anything. */
  readonly #parameters = new Set<string>()

  constructor(tokens: readonly string[], path: string, at = 0) {
    this.#tokens = tokens
    this.#path = path
    this.#at = at
  }

  readScope(scope: Scope): void {
    while (this.#at < this.#tokens.length && this.#peek() !== '}') this.#readStatement(scope)
  }

  #readStatement(scope: Scope): void {
    while (this.#peek() === 'export' || this.#peek() === 'declare') this.#at++
    const word = this.#take()
    if (word === 'import') this.#readImport(scope)
    else if (word === 'namespace') {
      const space: Scope = { types: new Map(), spaces: new Map(), outer: scope }
      scope.spaces.set(this.#take(), space)
      this.#expect('{')
      this.readScope(space)
      this.#expect('}')
    } else if (word === 'interface' || (word === 'type' && this.#peek(1) !== ',' && this.#peek() !== '{')) {
      const name = this.#take()
      const begin = this.#at
      let shape: Shape | null = null
      scope.types.set(name, () => {
        shape ??= new Reader(this.#tokens, this.#path, begin).#readDeclaration(scope, word === 'interface')
        return shape
      })
      this.#skipStatement(word === 'type')
    } else {
      if (word === '{') this.#at--
      this.#skipStatement()
    }
  }

  #readDeclaration(scope: Scope, isInterface: boolean): Shape {
    this.#readParameters()
    if (!isInterface) {
      this.#expect('=')
      return this.#readType(scope)
    }
    const parents: Shape[] = []
    if (this.#has('extends')) {
      do parents.push(this.#readType(scope))
      while (this.#has(','))
    }
    return { kind: 'both', of: [...parents, this.#readType(scope)] }
  }

  #readImport(scope: Scope): void {
    const begin = this.#at
    while (!/^['"]/.test(this.#peek())) this.#at++
    const words = this.#tokens.slice(begin, this.#at)
    const from = this.#take().slice(1, -1)
    this.#has(';')
    const file = from.startsWith('.')
      ? new URL(from.replace(/\.js$/, '.d.ts'), `file:///${this.#path}`).pathname.slice(1)
      : `${from}/dist/index.d.ts`
    const isRead = /resources|messages\/content|@ai-sdk\/provider/.test(file)
    if (!isRead) return
    if (words[0] === '*') scope.spaces.set(words[2] as string, declarationsOf(file))
    else {
      const names =
        words
          .join(' ')
          .match(/\{(.*)\}/)?.[1]
          ?.split(',') ?? []
      for (const each of names) {
        const [name = '', alias = name] = each
          .replace(/^ *type /, '')
          .trim()
          .split(/ as /)
          .map((one) => one.trim())
        if (name === '') continue
        const other = declarationsOf(file)
        scope.types.set(alias, () => ({ kind: 'name', path: [name], scope: other }))
        // A namespace of this name may be read later, if the files import each other.
        const space = other.spaces.get(name)
        if (space !== undefined) scope.spaces.set(alias, space)
      }
    }
  }

  #skipStatement(isToSemicolon = false): void {
    for (let depth = 0; this.#at < this.#tokens.length; ) {
      const token = this.#peek()
      if (depth === 0 && token === '}') return
      this.#at++
      if (/^[{([]$/.test(token)) depth++
      else if (/^[})\]]$/.test(token)) {
        depth--
        const isEnd = depth === 0 && token === '}' && this.#peek() !== ';' && this.#peek() !== 'from'
        if (isEnd && !isToSemicolon) return
      } else if (depth === 0 && token === ';') return
    }
  }

  #readParameters(): void {
    if (!this.#has('<')) return
    for (let depth = 1, isName = true; depth > 0; ) {
      const token = this.#take()
      if (isName) this.#parameters.add(token)
      isName = depth === 1 && token === ','
      if (token === '<') depth++
      else if (token === '>') depth--
    }
  }

  #readType(scope: Scope): Shape {
    this.#has('|')
    const of: Shape[] = []
    do of.push(this.#readBoth(scope))
    while (this.#has('|'))
    return of.length === 1 ? (of[0] as Shape) : { kind: 'union', of }
  }

  #readBoth(scope: Scope): Shape {
    const of: Shape[] = []
    do of.push(this.#readPostfix(scope))
    while (this.#has('&'))
    return of.length === 1 ? (of[0] as Shape) : { kind: 'both', of }
  }

  #readPostfix(scope: Scope): Shape {
    let shape = this.#readOne(scope)
    while (this.#peek() === '[') {
      this.#at++
      if (this.#has(']')) shape = { kind: 'list', of: shape }
      else {
        while (!this.#has(']')) this.#at++
        shape = { kind: 'unknown' }
      }
    }
    if (this.#peek() === 'extends') {
      while (this.#peek() !== ';') this.#at++
      return { kind: 'unknown' }
    }
    return shape
  }

  #readOne(scope: Scope): Shape {
    const token = this.#take()
    if (token === '{') return this.#readFields(scope)
    if (token === '(') {
      const shape = this.#readType(scope)
      this.#expect(')')
      return shape
    }
    if (/^['"]/.test(token)) return { kind: 'literal', value: token.slice(1, -1) }
    if (token.startsWith('`')) return { kind: 'text', head: token.slice(1).replace(/(\$\{[\s\S]*|`)$/, '') }
    if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) }
    if (token === 'readonly') return this.#readOne(scope)
    const path = [token]
    while (this.#has('.')) path.push(this.#take())
    const of = this.#readArguments(scope)
    if (path.length === 1) {
      if (token === 'Array' || token === 'ReadonlyArray') return { kind: 'list', of: of[0] ?? { kind: 'unknown' } }
      if (token === 'Record') return { kind: 'object', fields: new Map(), others: of[1] ?? { kind: 'unknown' } }
      if (token === 'ValueOf' || token === 'Readonly') return of[0] as Shape
      if (['Partial', 'DeepPartial', 'Omit', 'Exclude', 'Extract'].includes(token)) return { kind: 'unknown' }
      if (this.#parameters.has(token) || ['unknown', 'any', 'object', 'keyof', 'typeof'].includes(token)) {
        return { kind: 'unknown' }
      }
      const known = plain[token]
      if (known !== undefined) return known
    }
    return { kind: 'name', path, scope }
  }

  #readArguments(scope: Scope): Shape[] {
    if (!this.#has('<')) return []
    const of: Shape[] = []
    do of.push(this.#readType(scope))
    while (this.#has(','))
    this.#expect('>')
    return of
  }

  #readFields(scope: Scope): Shape {
    const fields = new Map<string, Field>()
    let others: Shape | null = null
    let mapped: Shape | null = null
    while (!this.#has('}')) {
      this.#has('readonly')
      if (this.#has('[')) {
        const isMapped = this.#peek(1) === 'in'
        while (!this.#has(']')) this.#at++
        this.#has('?')
        this.#expect(':')
        if (isMapped) mapped = this.#readType(scope)
        else others = this.#readType(scope)
      } else {
        const name = this.#take().replace(/^['"]|['"]$/g, '')
        if (this.#peek() === '(' || this.#peek() === '<') this.#skipMember()
        else {
          const isOptional = this.#has('?')
          this.#expect(':')
          fields.set(name, { shape: this.#readType(scope), isOptional })
        }
      }
      while (this.#has(';') || this.#has(','));
    }
    return mapped ?? { kind: 'object', fields, others }
  }

  #skipMember(): void {
    for (let depth = 0; ; this.#at++) {
      const token = this.#peek()
      if (/^[{(<[]$/.test(token)) depth++
      else if (/^[})>\]]$/.test(token)) depth--
      else if (token === ';' && depth === 0) return
    }
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? ''
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  #has(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#at++
    return true
  }

  #expect(token: string): void {
    const found = this.#take()
    if (found === token) return
    const near = this.#tokens.slice(Math.max(this.#at - 30, 0), this.#at + 5).join(' ')
    throw new Error(`${this.#path}: ${token} and not ${found} was expected in: ${near}`)
  }
}
