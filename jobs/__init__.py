"""The scheduler process: what runs by the clock.

One table of jobs (`jobs.table`), one leader by advisory lock (`jobs.scheduler`), each run recorded (`jobs.running`). A job
calls one flow and knows nothing else.
"""
