using System.Net;
using System.Net.Sockets;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>How the server starts, refuses to start, and stops.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private readonly TemporaryFile _model = new(TinyModel.Bytes());

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task HelpListsTheOptions()
    {
        var (code, output, errors) = await ServerProcess.RunToEndAsync("--help");

        Assert.Equal((0, ""), (code, errors));
        foreach (var option in new[] { "--port", "--host", "--data", "--model", "--threads", "--context", "--kv-tokens", "--max-batch", "--backend", "--activations" })
            Assert.Contains(option, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--port 99999", "--port")]
    [InlineData("--prot 80", "--prot")]
    [InlineData("--threads", "--threads needs a value")]
    [InlineData("--backend gpu", "auto, cpu, reference, cuda")]
    [InlineData("--host nowhere", "--host")]
    [InlineData("--model /no/such.gguf", "/no/such.gguf")]
    [InlineData("--model TINY --context 513", "--context")]
    [InlineData("--model TINY --context 512 --kv-tokens 64", "--kv-tokens")]
    [InlineData("--model TINY --data TINY/below", "--data")]
    public async Task AStartThatCantWorkIsOneLineThatSaysWhatToDo(string arguments, string explanation)
    {
        var line = await RefusalAsync(arguments.Replace("TINY", _model.Path).Split(' '));

        Assert.Contains(explanation, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AVariableStandsInForAnOptionThatIsNotGiven()
    {
        var (code, _, fromVariable) = await ServerProcess.RunToEndAsync(["--port", "0"], ("LSERVE_MODEL", "/from/variable.gguf"));
        Assert.Equal(2, code);
        Assert.Contains("/from/variable.gguf", fromVariable, StringComparison.Ordinal);

        var (_, _, fromOption) = await ServerProcess.RunToEndAsync(["--model", "/from/option.gguf"], ("LSERVE_MODEL", "/from/variable.gguf"));
        Assert.Contains("/from/option.gguf", fromOption, StringComparison.Ordinal);

        var (_, _, wrong) = await ServerProcess.RunToEndAsync([], ("LSERVE_KV_TOKENS", "many"));
        Assert.Contains("LSERVE_KV_TOKENS", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClusterThatThisEditionDoesntHaveIsRefused()
    {
        var (_, help, _) = await ServerProcess.RunToEndAsync("--help");
        var explanation = help.Contains("single-machine edition") ? "./lserve --edition cluster" : "--cluster localhost";

        Assert.Contains(explanation, await RefusalAsync("--cluster", "nowhere"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADamagedModelIsNamed()
    {
        File.WriteAllBytes(_model.Path, TinyModel.Bytes()[..100_000]);

        Assert.Contains(_model.Path, await RefusalAsync("--model", _model.Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATakenPortIsNamed()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString();

        var line = await RefusalAsync("--model", _model.Path, "--port", port);
        Assert.Contains(port, line, StringComparison.Ordinal);
        Assert.Contains("--port", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASignalEndsTheServerInOrderAlsoWhileItAnswers()
    {
        await using var server = await ServerProcess.StartAsync("--model", _model.Path, "--threads", "1");
        Assert.Contains("ready", await server.Http.GetStringAsync("readyz"), StringComparison.Ordinal);
        var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions")
        {
            Content = new StringContent("""{"prompt":"x","max_tokens":400,"stream":true,"ignore_eos":true}"""),
        };
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(0, await server.TerminateAsync());
    }

    private static async Task<string> RefusalAsync(params string[] arguments)
    {
        var (code, output, errors) = await ServerProcess.RunToEndAsync(arguments);

        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("lserve serve: ", errors, StringComparison.Ordinal);
        return Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
