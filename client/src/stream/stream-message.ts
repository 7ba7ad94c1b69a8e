import type { Connection } from '../connection/connection.ts'
import type { Message } from '../schema/types.ts'
import type { MessageStream, StreamOptions } from './message-stream.ts'
import { Producer } from './producer.ts'

/**
 * Starts a message, or takes one over, and writes it piece by piece, through whatever happens to the connection: it tries
 * again for ever, and keeps every piece until a server has said that it is stored.
 *
 * A text that the server does not take, as one that is too long, fails the message with that error.
 */
export function streamMessage<Selected = Message>(options: StreamOptions): MessageStream<Selected> {
  return new Producer<Selected>(options, null)
}

/** As `streamMessage`, on a connection that is somebody else's, and kept. Nothing else runs on it meanwhile. */
export function streamMessageOn(connection: Connection, options: StreamOptions): MessageStream {
  return new Producer<Message>(options, connection)
}
