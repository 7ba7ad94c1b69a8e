import { eventSelection, messageSelection } from '../schema/selections.ts'
import type { ThreadMore } from './thread.ts'

/** What is asked of the server beside the fields of `messageSelection`; each of it costs another look at the database. */
const more: Readonly<Record<ThreadMore, string>> = {
  approvals: 'toolCalls { callId approval { approved reason userId answeredAt } }',
  reactions: 'reactions { emoji count viewerReacted }',
  replies: 'replyTo { id clientId role name content author { userId kind name } }',
  feedback: 'feedback { rating reason comment }',
  people: '',
}

export interface ThreadQueries {
  readonly head: string
  readonly page: string
  readonly laterPage: string
  readonly events: string
  readonly append: string
  readonly appendToNew: string
  /** The changes of a message whose answer is the message as it is then. */
  readonly answerCall: string
  readonly addReaction: string
  readonly removeReaction: string
  readonly setFeedback: string
  readonly takeOver: string
  readonly handBack: string
}

/** What a thread asks of the server, with no more than it shows. */
export function threadQueries(shown: readonly ThreadMore[]): ThreadQueries {
  const message = [messageSelection, 'siblings { index count ids }', ...shown.map((name) => more[name])].join(' ')
  const isShared = shown.includes('people')
  const ofPeople = isShared ? `viewerRole readSeq takenOverBy ${participants}` : ''
  const told = isShared
    ? `... on ConversationUpdated { conversation { takenOverBy } }
      ... on ParticipantsChanged { conversation { takenOverBy viewerRole ${participants} } }`
    : ''
  const appended = `appendMessage(input: $input) { replayed messageEdge { cursor node { ${message} } } }`
  const change = (name: string, input: string) =>
    `mutation ($input: ${input}!) { ${name}(input: $input) { message { ${message} } } }`
  const handOver = (name: string, input: string) =>
    `mutation ($input: ${input}!) { ${name}(input: $input) { conversation { id takenOverBy } } }`
  return {
    head: `query ($id: ID!) { viewer { userId } conversation(id: $id) {
      id title cursor activeLeaf { id } ${ofPeople}
    } }`,
    page: `query ($id: ID!, $branch: ID!, $before: String, $last: Int!) { conversation(id: $id) {
      messages(branch: $branch, before: $before, last: $last) { edges { cursor node { ${message} } } }
    } }`,
    laterPage: `query ($id: ID!, $branch: ID!, $after: String, $first: Int!) { conversation(id: $id) {
      messages(branch: $branch, after: $after, first: $first) { edges { cursor node { ${message} } } }
    } }`,
    events: `subscription ($id: ID!, $after: String) {
      conversationEvents(conversationId: $id, after: $after) {
        ${eventSelection(message)} ... on MessageAppended { changedSiblings { id siblings { index count ids } } }
        ${told}
      }
    }`,
    append: `mutation ($input: AppendMessageInput!) { ${appended} }`,
    appendToNew: `mutation ($create: CreateConversationInput!, $input: AppendMessageInput!) {
      createConversation(input: $create) { created }
      ${appended}
    }`,
    answerCall: change('answerCall', 'AnswerCallInput'),
    addReaction: change('addReaction', 'AddReactionInput'),
    removeReaction: change('removeReaction', 'RemoveReactionInput'),
    setFeedback: change('setFeedback', 'SetFeedbackInput'),
    takeOver: handOver('takeOver', 'TakeOverInput'),
    handBack: handOver('handBack', 'HandBackInput'),
  }
}

const participants = 'participants(first: 100) { nodes { userId name picture } }'

export const people = `query ($id: ID!) { conversation(id: $id) { ${participants} } }`

export const parents = `query ($id: ID!, $after: String!) { conversation(id: $id) {
  messages(after: $after, first: 100) { nodes { id parentId } pageInfo { hasNextPage endCursor } }
} }`

export const setLeaf = 'mutation ($input: SetActiveLeafInput!) { setActiveLeaf(input: $input) { message { id } } }'

export const stop = 'mutation ($input: StopMessageInput!) { stopMessage(input: $input) { message { id } } }'

export const markRead = 'mutation ($input: MarkReadInput!) { markRead(input: $input) { conversation { id } } }'

export const setTyping = 'mutation ($input: SetTypingInput!) { setTyping(input: $input) { conversation { id } } }'

export const readCount = `query ($id: ID!, $seq: Int!) { conversation(id: $id) {
  message(seq: $seq) { id readBy { count } }
} }`
