using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>Technologies that may be touched only in the folders named for them.</summary>
public class RoomsTests
{
    private sealed record Room(string What, Regex Code, Regex? Package, string[] Folders);

    private static readonly Room[] Rooms =
    [
        new("Orleans", new(@"\busing Orleans\b|\bOrleans\.|\b(Grain|IGrain\w*|IClusterClient|GenerateSerializer)\b(?=[ ;:(<\]])"), new(@"^Microsoft\.Orleans\."),
            ["src/Grains", "src/Silo", "src/Client/Sdk/Cluster"]),
        new("ASP.NET", new(@"\bMicrosoft\.AspNetCore\b"), new(@"^Microsoft\.AspNetCore\."), ["src/Api", "src/Silo"]),
        new("Azure", new(@"\busing Azure\b|\bAzure\.(Storage|Core|Identity)\b"), new(@"^Azure\.|\.AzureStorage$"), ["src/Stores.AzureBlob", "src/Silo"]),
        new("P/Invoke", new(@"\b(DllImport|LibraryImport|NativeLibrary\.(Load|TryLoad|GetExport|TryGetExport))\b"), null, ["src/Cuda/Driver", "src/Cuda/Jit", "src/Stores.Local/Files", "src/Cpu/Memory"]),
        new("environment variables", new(@"\bEnvironment\.(Get|Set|Expand)EnvironmentVariable"), null, ["src/Silo", "src/Client/Cli"]),
        new("the console", new(@"\b(Console\.(Write|Out|Error|Read|In|Cancel)|AnsiConsole)\b?"), null, ["src/Silo", "src/Client/Cli"]),
    ];

    [Fact]
    public void CodeStaysInItsRoom() => Tree.AssertNone(Tree.Under("src", ".cs").SelectMany(CodeViolations), "Used outside its folders:");

    [Fact]
    public void PackagesStayInTheirRoom() => Tree.AssertNone(Project.All.SelectMany(PackageViolations), "Packages outside their folders:");

    [Theory]
    [InlineData("src/Sessions/A.cs", "using Orleans;")]
    [InlineData("src/Sessions/A.cs", "class A : Grain { }")]
    [InlineData("src/Engine/A.cs", "using Microsoft.AspNetCore.Http;")]
    [InlineData("src/Cpu/A.cs", "[LibraryImport(\"c\")] static partial int f();")]
    [InlineData("src/Cuda/Launch/A.cs", "[DllImport(\"c\")] static extern int f();")]
    [InlineData("src/Api/A.cs", "var x = Environment.GetEnvironmentVariable(\"X\");")]
    [InlineData("src/Engine/A.cs", "Console.WriteLine(1);")]
    public void AStrangerIsSeen(string path, string code) => Assert.NotEmpty(CodeViolations(new(path, code)));

    [Theory]
    [InlineData("src/Cuda/Driver/A.cs", "[LibraryImport(\"cuda\")] static partial int f();")]
    [InlineData("src/Sessions/A.cs", "namespace LServe.Orleans; // using Orleans")]
    [InlineData("src/Silo/A.cs", "Console.WriteLine(Environment.GetEnvironmentVariable(\"X\"));")]
    public void WhoBelongsThereIsLetIn(string path, string code) => Assert.Empty(CodeViolations(new(path, code)));

    [Fact]
    public void AForeignPackageIsSeen()
    {
        var project = Project.Parse("src/Api/LServe.Api.csproj", """<Project><ItemGroup><PackageReference Include="Microsoft.Orleans.Client" /></ItemGroup></Project>""");
        Assert.Equal(["src/Api/LServe.Api.csproj: Microsoft.Orleans.Client belongs to Orleans: src/Grains, src/Silo, src/Client/Sdk/Cluster"], PackageViolations(project));
    }

    private static IEnumerable<string> CodeViolations(SourceFile file)
    {
        var lines = file.CodeLines;
        foreach (var room in Rooms.Where(room => !file.IsUnder(room.Folders)))
            for (var i = 0; i < lines.Length; i++)
                if (!lines[i].TrimStart().StartsWith("namespace ", StringComparison.Ordinal) && room.Code.IsMatch(lines[i]))
                    yield return file.At(i, $"{room.What} belongs to {string.Join(", ", room.Folders)}");
    }

    private static IEnumerable<string> PackageViolations(Project project)
    {
        if (!project.Folder.StartsWith("src/")) yield break;
        IEnumerable<string> names = [.. project.Packages, .. project.Frameworks, .. project.Sdk == "Microsoft.NET.Sdk.Web" ? new[] { "Microsoft.AspNetCore.App" } : []];
        foreach (var room in Rooms.Where(room => room.Package is not null && !InRoom(project.Folder, room)))
            foreach (var name in names.Where(name => room.Package!.IsMatch(name)))
                yield return $"{project.Path}: {name} belongs to {room.What}: {string.Join(", ", room.Folders)}";
    }

    private static bool InRoom(string folder, Room room) =>
        room.Folders.Any(allowed => (folder + "/").StartsWith(allowed + "/") || (allowed + "/").StartsWith(folder + "/"));
}
