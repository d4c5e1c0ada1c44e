#!/bin/sh
# Solver of halmos's queries: yices, fast; z3 has to agree with a counterexample, as yices has given
# some that are none. Prints what the deciding one says.
answer=$(yices-smt2 --smt2-model-format --bvconst-in-decimal "$1") || exit
case "$answer" in
    sat*) exec z3 -T:60 "$1" ;;
    *) printf '%s\n' "$answer" ;;
esac
