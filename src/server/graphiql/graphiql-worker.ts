import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import * as bundle from '@graphql-yoga/render-graphiql/graphiql'

/** The thread that `graphiql.ts` starts at the first visit. It answers once: the files of GraphiQL by their names, gzipped. */
parentPort?.postMessage(
  new Map([
    ['graphiql.js', gzipSync(bundle.js)],
    ['graphiql.css', gzipSync(bundle.css)],
    ['editor.worker.js', gzipSync(bundle.editorWorkerService)],
    ['graphql.worker.js', gzipSync(bundle.graphqlWorker)],
    ['json.worker.js', gzipSync(bundle.jsonWorker)],
  ]),
)
