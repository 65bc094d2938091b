"""Basal insulin for virtual patients with type-1 diabetes: simglucose 0.2.11 (Xie 2018, MIT), the UVA/Padova model, as Gymnasium has environments.

This is research software about the transfer of policies. It is no medical device, and nothing that it learns may dose a person.

simglucose's own wrapper ignores the seed of a reset and calls its pump with what today's SciPy refuses, so the simulation is used directly:
a new one for every episode, with every draw (start, meals, sensor noise) from that episode's seed. A decision is a multiple of the patient's own basal
rate, held for 15 minutes, and an episode is a day.
"""

import types

import gymnasium
import numpy

PATIENTS = [f"{group}#{number:03d}" for group in ("adult", "adolescent", "child") for number in range(1, 11)]
MINUTES = 15.0


def risk(glucose):
    """Blood glucose risk (Kovatchev et al. 1997): 0 at 112.5 mg/dl, rising faster towards hypoglycaemia than towards hyperglycaemia."""
    f = 1.509 * (numpy.log(max(glucose, 1.0)) ** 1.084 - 5.381)
    return 10.0 * f * f


class Patient(gymnasium.Env):
    def __init__(self, patient=0.0):
        """`patient` is a number from 0: adults 0 to 9, adolescents 10 to 19, children 20 to 29."""
        self.patient = patient
        big = float(numpy.finfo(numpy.float32).max)
        self.observation_space = gymnasium.spaces.Dict({
            name: gymnasium.spaces.Box(-big, big, (), numpy.float32)
            for name in ("glucose", "glucose_change", "insulin", "meal", "hour_sin", "hour_cos")
        })
        self.action_space = gymnasium.spaces.Box(0.0, 4.0, (1,), numpy.float32)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        from simglucose.actuator.pump import InsulinPump
        from simglucose.patient.t1dpatient import T1DPatient
        from simglucose.sensor.cgm import CGMSensor
        from simglucose.simulation.env import T1DSimEnv
        from simglucose.simulation.scenario_gen import RandomScenario
        from datetime import datetime

        patient, sensor, meals = (int(number) for number in self.np_random.integers(0, 2**31 - 1, 3))
        body = T1DPatient.withName(PATIENTS[int(self.patient)], random_init_bg=True, seed=patient)
        row = body._params
        self.basal = float(row.u2ss) * float(row.BW) / 6000.0  # units a minute
        scenario = RandomScenario(start_time=datetime(2026, 1, 1, 6, 0), seed=meals)
        self.day = T1DSimEnv(body, CGMSensor.withName("Dexcom", seed=sensor), InsulinPump.withName("Insulet"), scenario)
        self.glucose = self.before = float(self.day.reset().observation.CGM)
        # The model looks its numbers up in a pandas row at every derivative: eleven times slower than attributes, and the same.
        body._params = types.SimpleNamespace(**{str(key): row[key] for key in row.index})
        self.insulin = self.meal = 0.0
        return self.seen(), {}

    def seen(self):
        hour = self.day.time.hour + self.day.time.minute / 60.0
        angle = 2.0 * numpy.pi * hour / 24.0
        numbers = {
            "glucose": self.glucose / 100.0,
            "glucose_change": (self.glucose - self.before) / 20.0,
            "insulin": self.insulin,
            "meal": self.meal / 50.0,
            "hour_sin": numpy.sin(angle),
            "hour_cos": numpy.cos(angle),
        }
        return {name: numpy.float32(number) for name, number in numbers.items()}

    def step(self, action):
        from simglucose.controller.base import Action

        multiple = float(numpy.clip(action[0], 0.0, 4.0))
        self.before, reward, ended, self.meal = self.glucose, 0.0, False, 0.0
        for _ in range(int(MINUTES / self.day.sample_time)):
            result = self.day.step(Action(basal=self.basal * multiple, bolus=0.0))
            self.glucose = float(result.observation.CGM)
            self.meal += float(result.info["meal"]) * self.day.sample_time
            reward += 1.0 / 5.0 - risk(float(result.info["bg"])) / 500.0
            ended = bool(result.done)
            if ended:
                break
        self.insulin = multiple
        # Who leaves 10 to 600 mg/dl is lost: worse than any day lived through.
        return self.seen(), reward - (100.0 if ended else 0.0), ended, False, {}


gymnasium.register("Patient-v0", entry_point=Patient, max_episode_steps=96)
