import type { RequestTemplate } from './load/job.ts'

export type Question = 'append' | 'page' | 'list'

/** Identity as a trusted backend gives it; only our server asks for the key. */
export const serviceKey = 'bench-service-key'
export const identityHeaders: readonly string[] = [`x-service-key: ${serviceKey}`, 'x-user-id: <user>']

/** What our server is asked, and every peer that has a schema of its own choosing. */
export const questions: Readonly<Record<Question, RequestTemplate>> = {
  append: request(
    `mutation Append($input: AppendMessageInput!) {
      appendMessage(input: $input) { message { id seq role content clientId createdAt } replayed }
    }`,
    {
      input: {
        conversationId: '<conversation>',
        message: { role: 'USER', content: '<content>', clientId: '<client-id>' },
      },
    },
    { text: '"replayed":false', times: 1 },
  ),
  page: request(
    `query Page($id: ID!) {
      conversation(id: $id) {
        id
        messages(last: 50) {
          nodes { id seq role content clientId status createdAt }
          pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        }
      }
    }`,
    { id: '<conversation>' },
    { text: '"seq":', times: 50 },
  ),
  list: request(
    `query List {
      conversations(first: 20) {
        nodes { id title updatedAt lastSeq lastMessage { id seq role content createdAt } }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    {},
    { text: '"seq":', times: 20 },
  ),
}

/** A page from the middle. */
export const pageBefore: RequestTemplate = request(
  `query Page($id: ID!, $before: String!) {
    conversation(id: $id) {
      id
      messages(last: 50, before: $before) {
        nodes { id seq role content clientId status createdAt }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
      }
    }
  }`,
  { id: '<conversation>', before: '<cursor>' },
  { text: '"seq":', times: 50 },
)

/** The same in the words of the schema that PostGraphile makes of our tables. */
export const postgraphileQuestions: Readonly<Record<Question, RequestTemplate>> = {
  append: request(
    `mutation Append($input: BenchAppendMessageInput!) {
      benchAppendMessage(input: $input) { result { id seq role content clientId createdAt } }
    }`,
    {
      input: {
        userId: '<user>',
        conversationId: '<conversation>',
        role: 'USER',
        content: '<content>',
        clientId: '<client-id>',
      },
    },
    { text: '"seq":', times: 1 },
  ),
  page: request(
    `query Page($userId: String!, $id: String!) {
      benchConversationOf(userId: $userId, id: $id) {
        rowId
        messagesByConversationKey(last: 50, orderBy: SEQ_ASC) {
          nodes { id seq role content clientId status createdAt }
          pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        }
      }
    }`,
    { userId: '<user>', id: '<conversation>' },
    { text: '"seq":', times: 50 },
  ),
  list: request(
    `query List($userId: String!) {
      allConversations(condition: { userId: $userId }, orderBy: UPDATED_AT_DESC, first: 20) {
        nodes { rowId title updatedAt lastSeq messagesByConversationKey(first: 1, orderBy: SEQ_DESC) { nodes { id seq role content createdAt } } }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    { userId: '<user>' },
    { text: '"seq":', times: 20 },
  ),
}

/** The payload of a `subscribe`, and what a socket says of who it is. */
export const subscription = JSON.stringify({
  query:
    'subscription Watch($id: ID!) { messageAppended(conversationId: $id) { cursor node { id seq role content createdAt } } }',
  variables: { id: '<conversation>' },
})
export const connectionParams = JSON.stringify({ 'x-service-key': serviceKey, 'x-user-id': '<user>' })

export function request(
  document: string,
  variables: Readonly<Record<string, unknown>>,
  expected: RequestTemplate['expected'],
): RequestTemplate {
  const query = document.replace(/\s+/g, ' ').trim()
  return { path: '/graphql', headers: identityHeaders, body: JSON.stringify({ query, variables }), expected }
}
