import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiError, StartupError } from '../../errors.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import type { Admission } from './admission.ts'

/** What names a document in a request. */
type Named = Pick<GraphqlRequest, 'query' | 'extensions'>

/**
 * The documents of a folder, which are the only ones that a server with TRUSTED_DOCUMENTS answers. A client sends the
 * text of one, as its file has it, or its SHA-256 as `extensions.persistedQuery.sha256Hash`, as automatic persisted
 * queries do; where a query must be a text, as on a socket, the text is empty then.
 */
export class TrustedDocuments {
  /** The texts by their hashes. */
  readonly #texts: ReadonlyMap<string, string>

  private constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  /**
   * Reads all files of the folder and of those in it that end in `.graphql` or `.gql`.
   *
   * @throws StartupError if one of them could never run
   */
  static async read(folder: string, admission: Admission): Promise<TrustedDocuments> {
    const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new StartupError(`TRUSTED_DOCUMENTS: the folder ${folder} cannot be read (${error.code}).`)
    })
    const texts = new Map<string, string>()
    for (const name of names.filter((name) => /\.(graphql|gql)$/.test(name)).sort()) {
      const text = await readFile(join(folder, name), 'utf8')
      const admitted = admission.admit(text)
      if ('errors' in admitted) {
        throw new StartupError(`TRUSTED_DOCUMENTS: ${join(folder, name)}: ${admitted.errors[0]?.message}`)
      }
      // An editor ends a file with a line feed that a client's document does not have.
      for (const form of [text, text.trim()]) texts.set(hash('sha256', form), form)
    }
    if (texts.size === 0) throw new StartupError(`TRUSTED_DOCUMENTS: the folder ${folder} has no .graphql files.`)
    return new TrustedDocuments(texts)
  }

  /** The request with the text of the document that it names by its hash; as it is, if it names none. */
  withText<Request extends Named>(request: Request): Request {
    if (request.query !== null && request.query !== '') return request
    const { sha256Hash } = (request.extensions?.persistedQuery ?? {}) as { sha256Hash?: unknown }
    // Without a text a request names no document: it is refused as one that is not known.
    const query = (typeof sha256Hash === 'string' ? this.#texts.get(sha256Hash) : undefined) ?? ''
    return { ...request, query }
  }

  /** @throws ApiError FORBIDDEN */
  require(text: string): void {
    if (this.#texts.has(hash('sha256', text))) return
    const sentence = 'This server answers known documents only, and this one is not among them.'
    throw new ApiError('FORBIDDEN', sentence, { reason: 'NOT_TRUSTED' })
  }
}
