"""Probes of both sides for `gradesync doctor`: small questions, each bounded, none of which writes.

They bring facts home (`domain.doctor_facts`) and judge nothing. Every request is a GET but two: the SIS's token
request, and one query to Canvas's GraphQL, which is asked by POST and can only read. What a Canvas or a SIS is asked
in a real run is the other connectors' affair.
"""
