using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Chaos;

/// <summary>Somebody who converses through whatever silo there is, sends a turn again that was cut, and holds the cluster to what it said.</summary>
internal sealed class ChaosClient(int client, Script script, SiloFleet fleet, Random random, TimeSpan think, ChaosReport report)
{
    /// <summary>Time after which a turn that still fails is a promise broken.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(250);

    private int _conversation, _turn;
    private bool _inProgress;

    private string Session => $"c{client}-{_conversation}";

    /// <summary>Talks until told to stop; the turn in progress is ended.</summary>
    public async Task TalkAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(think * random.NextDouble(), CancellationToken.None);
            if (!await SayAsync()) return;
        }
    }

    /// <summary>What is kept of the conversation in progress is every turn that was acknowledged, once, in order.</summary>
    public async Task CheckAsync()
    {
        var kept = await GetAsync();
        var (answers, turns) = (kept?.Messages.Where(m => m.Role == ChatMessage.Assistant).Select(m => m.Content).ToArray() ?? [], kept?.Turns ?? 0);
        if (turns != answers.Length || turns != _turn)
            report.Violate($"{Session}: {_turn} turns were acknowledged, {turns} are committed, {answers.Length} answers are kept.");
        for (var turn = 0; turn < Math.Min(answers.Length, Script.Turns); turn++)
            if (answers[turn] != script.Answer(client, turn)) report.Violate($"{Session}: answer {turn} isn't that of an undisturbed run.");
    }

    private async Task<bool> SayAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        for (_inProgress = true; _inProgress;)
        {
            var sent = TimeProvider.System.GetTimestamp();
            try
            {
                var (text, repeated) = await Script.ReadAsync(Any().SendAsync(Session, Script.Says(client, _turn)));
                if (text != script.Answer(client, _turn)) report.Violate($"{Session} t{_turn}: '{text}' isn't the answer of an undisturbed run.");
                report.Acknowledge(repeated);
                _inProgress = false;
            }
            catch (LServeException failure) when (failure.Error.Retryable)
            {
                report.Cut(failure.Error, TimeProvider.System.GetElapsedTime(sent));
                await Task.Delay(s_retryDelay);
            }
            catch (Exception failure)
            {
                report.Violate($"{Session} t{_turn}: {failure.GetType().Name} {failure.Message}");
                return false;
            }
            if (!_inProgress || TimeProvider.System.GetElapsedTime(began) <= s_patience) continue;
            report.Violate($"{Session} t{_turn}: nobody answered for {s_patience.TotalSeconds:0} s.");
            return false;
        }
        report.TookTurn(TimeProvider.System.GetElapsedTime(began));
        if (++_turn == Script.Turns)
        {
            await CheckAsync();
            (_turn, _conversation) = (0, _conversation + 1);
        }
        return true;
    }

    private async Task<SessionInfo?> GetAsync()
    {
        for (var began = TimeProvider.System.GetTimestamp(); ; await Task.Delay(s_retryDelay))
            try
            {
                return await Any().GetAsync(Session);
            }
            catch (LServeException failure) when (failure.Error.Retryable && TimeProvider.System.GetElapsedTime(began) < s_patience)
            {
                report.Cut(failure.Error, TimeProvider.System.GetElapsedTime(began));
            }
    }

    private LServeClient Any()
    {
        var silos = fleet.Clients;
        return silos[random.Next(silos.Count)].Value;
    }
}
