import { useQuery } from '@apollo/client/react'
import { type ReactNode, useId } from 'react'
import { goTo, goToMessage } from '../app/place.ts'
import { SearchMessagesDocument, type SearchMessagesQuery, SearchTitlesDocument } from '../gql/graphql.ts'
import { sayWhen } from '../list/when.ts'
import { Words } from '../message/words.tsx'

const mostTitles = 5
const pageSize = 10

interface ResultsProps {
  readonly text: string
  readonly onChosen: () => void
}

export function Results({ text, onChosen }: ResultsProps) {
  const { conversations, ...titles } = useTitles(text)
  const { edges, loadMore, ...messages } = useMessages(text)
  const isEmpty = conversations.length + edges.length === 0
  const isLoading = titles.isLoading || messages.isLoading
  return (
    <div className="results" aria-busy={isLoading}>
      <p className="hidden" role="status">
        {isLoading ? 'Searching' : `${conversations.length} conversations and ${edges.length} messages are found`}
      </p>
      {messages.problem && <p className="list-empty">{messages.problem}</p>}
      {isEmpty && !messages.problem && <p className="list-empty">{isLoading ? 'Searching …' : 'Nothing is found.'}</p>}
      {conversations.length > 0 && (
        <Group name="Conversations">
          {conversations.map(({ id, title, updatedAt, archivedAt }) => (
            <li key={id}>
              <button
                type="button"
                className="found list-item"
                onClick={() => {
                  goTo(id)
                  onChosen()
                }}
              >
                <span className="list-title">{title}</span>
                <time dateTime={updatedAt}>{archivedAt === null ? sayWhen(updatedAt) : 'archived'}</time>
              </button>
            </li>
          ))}
        </Group>
      )}
      {edges.length > 0 && (
        <Group name="Messages">
          {edges.map((edge) => (
            <li key={edge.node.id}>
              <FoundMessage edge={edge} onChosen={onChosen} />
            </li>
          ))}
          {loadMore && (
            <li>
              <button type="button" className="found more-found" onClick={loadMore}>
                More messages
              </button>
            </li>
          )}
        </Group>
      )}
    </div>
  )
}

function Group({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="results-name">
        {name}
      </h2>
      <ul>{children}</ul>
    </section>
  )
}

type Edge = NonNullable<SearchMessagesQuery['searchMessages']>['edges'][number]

interface FoundMessageProps {
  readonly edge: Edge
  readonly onChosen: () => void
}

function FoundMessage({ edge: { node, snippet, before, after }, onChosen }: FoundMessageProps) {
  const { id, conversation, createdAt } = node
  return (
    <button
      type="button"
      className="found found-message"
      onClick={() => {
        goToMessage(conversation.id, id)
        onChosen()
      }}
    >
      <span className="found-place">
        <span className="list-title">{conversation.title ?? 'Untitled'}</span>
        <time dateTime={createdAt}>{sayWhen(createdAt)}</time>
      </span>
      <Neighbour message={before} />
      <span className="found-text">
        <Words {...snippet} isMarkdown={node.role === 'ASSISTANT'} />
      </span>
      <Neighbour message={after} />
    </button>
  )
}

function Neighbour({ message }: { readonly message: Edge['before'] }) {
  if (!message?.content) return null
  return (
    <span className="found-neighbour">
      <Words text={message.content} isMarkdown={message.role === 'ASSISTANT'} />
    </span>
  )
}

/** While something else is looked for, what was found before stays. */
function useTitles(title: string) {
  const variables = { title, first: mostTitles }
  const { data, previousData, loading } = useQuery(SearchTitlesDocument, { variables, fetchPolicy: 'no-cache' })
  const found = (data ?? previousData)?.conversations
  return { conversations: found?.edges.map(({ node }) => node) ?? [], isLoading: loading }
}

function useMessages(query: string) {
  const variables = { query, first: pageSize }
  const options = { variables, fetchPolicy: 'no-cache', notifyOnNetworkStatusChange: true } as const
  const { data, previousData, loading, error, fetchMore } = useQuery(SearchMessagesDocument, options)
  const found = (data ?? previousData)?.searchMessages
  const end = found?.pageInfo.hasNextPage ? found.pageInfo.endCursor : null
  const loadMore = () =>
    void fetchMore({
      variables: { after: end },
      updateQuery: (before, { fetchMoreResult: { searchMessages: next } }) =>
        before.searchMessages && next
          ? { searchMessages: { ...next, edges: [...before.searchMessages.edges, ...next.edges] } }
          : before,
    })
  return {
    // Others were found for what stands around them, which is shown with its own words.
    edges: found?.edges.filter(({ snippet }) => snippet.ranges.length > 0) ?? [],
    isLoading: loading,
    problem: error?.message ?? null,
    loadMore: end && !loading ? loadMore : null,
  }
}
