"""Probes of both sides for `gradesync doctor`: small questions, each bounded, none of which writes.

They bring facts home (`domain.doctor_facts`) and judge nothing. Every request is a GET; the one POST is the SIS's token
request. What a Canvas or a SIS is asked in a real run is the other connectors' affair.
"""
