import { executeByGraphql } from '../documents/by-graphql.ts'

executeByGraphql()
