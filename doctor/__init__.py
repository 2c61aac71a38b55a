"""Asks an account, read only, whether a stack can be deployed into it: each cloud's questions, and what they answer.

A check is a question and a judgement: `ask` calls the cloud and returns a typed answer, `judge` compares it with the
stack and calls nothing. Each cloud has a package of its own here, of the same name as in infra/.
"""
