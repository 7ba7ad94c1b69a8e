import { executeByGraphql } from './by-graphql.ts'

executeByGraphql()
