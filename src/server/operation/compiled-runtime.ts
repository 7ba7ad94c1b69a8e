import { createRequire } from 'node:module'

// Compiled functions run on the CommonJS half of the package, whoever imports it.
const { jitRuntime } = createRequire(import.meta.url)(
  'graphql-jit/dist/runtime',
) as typeof import('graphql-jit/dist/runtime')

/**
 * graphql-jit takes up what a resolver answered where nobody catches what is thrown, as by a getter of the answer: the
 * operation would wait for ever. Here that is an error of the resolver's field.
 */
export function catchInCompiled(): void {
  const { handleResolverResult } = jitRuntime
  jitRuntime.handleResolverResult = function (context, value, onSuccess, onError) {
    const takeUp = (result: unknown) => {
      try {
        onSuccess(result)
      } catch (error) {
        onError(error)
      }
    }
    handleResolverResult.call(this, context, value, takeUp, onError)
  }
}
