// What main.ts gets by importing the schema; tests may import entities first.
import 'reflect-metadata'
