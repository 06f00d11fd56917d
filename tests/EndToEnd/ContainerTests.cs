using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LServe.Tests.EndToEnd.Readme;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>What can be known of the container files without a container engine.</summary>
public sealed partial class ContainerTests(TinyServer server) : IClassFixture<TinyServer>
{
    private static string Operations => File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "OPERATIONS.md"));

    [ToolFact("python3", needsModule: "yaml")]
    public async Task ComposeStartsTwoSilosOnAStoreThatIsReady()
    {
        var compose = Assert.Single(await ParseAsync(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docker-compose.yml"))))!;
        var services = compose["services"]!.AsObject();
        Assert.Equal(["azurite", "silo-1", "silo-2"], services.Select(service => service.Key).Order());
        Assert.NotNull(services["azurite"]!["healthcheck"]!["test"]);
        foreach (var silo in new[] { services["silo-1"]!, services["silo-2"]! })
        {
            Assert.Equal("service_healthy", (string)silo["depends_on"]!["azurite"]!["condition"]!);
            var command = silo["command"]!.AsArray().Select(word => (string)word!).ToArray();
            // Each says the address that it really has, and names a variable that it is given.
            Assert.EndsWith("address=" + (string)silo["networks"]!["silos"]!["ipv4_address"]!, command[^1]);
            Assert.NotNull(silo["environment"]![command[1]["azure=".Length..]]);
            await KnowsAsync(command);
        }
        var volumes = compose["volumes"]!.AsObject().Select(volume => volume.Key).ToHashSet();
        Assert.All(services.SelectMany(s => s.Value!["volumes"]!.AsArray()), volume => Assert.Contains(((string)volume!).Split(':')[0], volumes));
    }

    [ToolFact("python3", needsModule: "yaml")]
    public async Task TheManifestsFitEachOtherAndTheImage()
    {
        var manifests = await ParseAsync(YamlBlock().Match(Operations).Groups["yaml"].Value);
        Assert.Equal(["Deployment", "PodDisruptionBudget", "Service"], manifests.Select(m => (string)m!["kind"]!).Order());
        var pod = manifests.First(m => (string)m!["kind"]! == "Deployment")!["spec"]!["template"]!;
        Assert.Equal("lserve", (string)pod["metadata"]!["labels"]!["app"]!);
        Assert.Equal("lserve", (string)manifests.First(m => (string)m!["kind"]! == "Service")!["spec"]!["selector"]!["app"]!);
        var container = Assert.Single(pod["spec"]!["containers"]!.AsArray())!;
        var variables = container["env"]!.AsArray().Select(variable => (string)variable!["name"]!).ToHashSet();
        var command = container["args"]!.AsArray().Select(word => (string)word!).ToArray();
        Assert.Contains(command[1]["azure=".Length..], variables);
        Assert.Contains("POD_IP", variables);
        await KnowsAsync(command);
        foreach (var probe in new[] { "startupProbe", "readinessProbe", "livenessProbe" })
            Assert.True((await server.Http.GetAsync((string)container[probe]!["httpGet"]!["path"]!)).IsSuccessStatusCode);
        Assert.Equal(
            container["volumeMounts"]!.AsArray().Select(mount => (string)mount!["name"]!), pod["spec"]!["volumes"]!.AsArray().Select(volume => (string)volume!["name"]!));
    }

    [Fact]
    public async Task TheImageRunsWithoutRootAndGivesOptionsThatThereAre()
    {
        var file = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "Dockerfile"));
        Assert.Matches(@"(?m)^USER [1-9]\d*:[1-9]\d*$", file);
        await KnowsAsync(Regex.Match(file, @"(?m)^ENTRYPOINT \[(.*)\]$").Groups[1].Value.Split(", ").Select(word => word.Trim('"')));
        foreach (var copied in Regex.Matches(file, @"(?m)^COPY (?!--from)(.+) \S+$").SelectMany(match => match.Groups[1].Value.Split(' ')))
            Assert.True(Path.Exists(Path.Combine(RepositoryFiles.Root, copied)), copied);
    }

    [ToolFact("bash")]
    public async Task TheHealthCheckTellsAServerFromNone()
    {
        Assert.Equal(0, await CheckAsync(server.Address.Port));
        Assert.NotEqual(0, await CheckAsync(9));
    }

    private static async Task<int> CheckAsync(int port)
    {
        using var check = Process.Start(new ProcessStartInfo("bash", [Path.Combine(RepositoryFiles.Root, "container", "ready"), $"{port}"]) { RedirectStandardError = true })!;
        await check.WaitForExitAsync();
        return check.ExitCode;
    }

    private static async Task KnowsAsync(IEnumerable<string> command)
    {
        var (_, help, _) = await ServerProcess.RunToEndAsync("--help");
        Assert.All(command.Where(word => word.StartsWith("--", StringComparison.Ordinal)), option => Assert.Contains($"  {option} ", help));
    }

    private static async Task<JsonArray> ParseAsync(string yaml)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await python.StandardInput.WriteAsync(yaml);
        python.StandardInput.Close();
        var (json, errors) = (await python.StandardOutput.ReadToEndAsync(), await python.StandardError.ReadToEndAsync());
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, errors);
        return JsonNode.Parse(json)!.AsArray();
    }

    [GeneratedRegex(@"```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();
}
