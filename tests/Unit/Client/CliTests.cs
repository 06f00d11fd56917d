using LServe.Cli;
using LServe.Cli.Doctor;

namespace LServe.Tests.Unit.Client;

public class CliTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lserve-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ADamagedBundledModelIsBroken()
    {
        var model = Path.Combine(_folder, "a.gguf");
        File.WriteAllText(model, "abc");
        Assert.Equal(Health.Note, ModelCheck.Checksum(model).Health);

        File.WriteAllText(Path.Combine(_folder, "README.md"), "SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        Assert.Equal(Health.Good, ModelCheck.Checksum(model).Health);

        File.WriteAllText(model, "abd");
        Assert.Equal(Health.Broken, ModelCheck.Checksum(model).Health);
    }

    [Fact]
    public void AMissingModelIsOneBrokenFinding()
    {
        var finding = Assert.Single(ModelCheck.Look(Path.Combine(_folder, "none.gguf")));
        Assert.Equal((Health.Broken, "model"), (finding.Health, finding.What));
    }

    [Fact]
    public async Task APortThatIsNoneIsBroken() => Assert.Equal(Health.Broken, (await PortCheck.LookAsync(0, default)).Health);

    [Fact]
    public void LittleMemoryIsNoted()
    {
        Assert.Equal(Health.Note, MachineCheck.Memory(1 << 20).Health);
        Assert.Equal(Health.Good, MachineCheck.Memory(4L << 30).Health);
    }

    [Theory]
    [InlineData("fly")]
    [InlineData("sessions", "show")]
    [InlineData("chat", "--temperature", "warm")]
    [InlineData("tokenize", "--model", "none.gguf")]
    [InlineData("chat", "--local", "--url", "http://127.0.0.1:1")]
    [InlineData("chat", "--url", "not an address")]
    [InlineData("sessions", "list", "--url", "http://127.0.0.1:1")]
    public async Task WhatCanNotBeDoneEndsWithCode2(params string[] arguments)
    {
        Assert.Equal(CommandRunner.Refused, await CommandRunner.RunAsync(Commands.Create(), arguments));
    }
}
